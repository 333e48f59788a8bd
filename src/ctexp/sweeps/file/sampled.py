"""Single values of a dimension: its ends, the one at a quantile, and what a number is rounded to.

A number without a step is drawn with four digits, or so many more as tell apart ten thousand values of a
narrow range: more would be noise in every table and command line.
"""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from itertools import accumulate
from statistics import NormalDist

from ctexp.sweeps.space import Bell, Choice, Dimension, Range, Value

_EDGE = 1e-3
"""A bell has no ends, and a sampler that learns goes to every end: it is cut at three standard deviations."""

_DRAWN_DIGITS = 4
"""Of a number without a step."""

_DIGITS = 700
"""Enough for the largest number over the smallest."""


def ends(dimension: Dimension) -> tuple[Value, ...]:
    """Every value of a choice, both ends of a range, the middle and the ends of a bell."""
    if isinstance(dimension, Choice):
        return dimension.values
    quantiles = (0.5, 0.0, 1.0) if isinstance(dimension, Bell) else (0.0, 1.0)
    return tuple(at_quantile(dimension, quantile) for quantile in quantiles)


def at_quantile(dimension: Dimension, quantile: float) -> Value:
    """The value below which so much of the dimension lies, between 0 and 1."""
    if isinstance(dimension, Choice):
        count = len(dimension.values)
        if dimension.weights is None:
            return dimension.values[min(int(quantile * count), count - 1)]
        below = accumulate(dimension.weights)
        return dimension.values[next((i for i, end in enumerate(below) if quantile < end), count - 1)]
    if isinstance(dimension, Bell):
        drawn = NormalDist(dimension.mean, dimension.sd).inv_cdf(min(max(quantile, _EDGE), 1 - _EDGE))
        drawn = math.exp(drawn) if dimension.log else drawn
        spread = dimension.sd * (drawn if dimension.log else 1.0)
        drawn = shortened(drawn, spread) if dimension.step is None else multiple(drawn, dimension.step)
        return round(drawn) if dimension.integer else drawn
    low, high = dimension.low, dimension.high
    if dimension.integer:  # each number has a piece of the same length, the ends too
        low, high = low - 0.5, high + 0.5
    if dimension.log:
        drawn = math.exp(math.log(low) + quantile * (math.log(high) - math.log(low)))
    else:
        drawn = low + quantile * (high - low)
    return rounded(min(max(drawn, dimension.low), dimension.high), dimension)


def rounded(drawn: float, dimension: Range) -> Value:
    """A number as a value of a range: a multiple of its step, a whole number, or a short one."""
    if dimension.step is not None:
        low = multiple(dimension.low, dimension.step, ROUND_CEILING)
        high = multiple(dimension.high, dimension.step, ROUND_FLOOR)
        drawn = min(max(multiple(drawn, dimension.step), low), high)
    elif not dimension.integer:
        drawn = _within(dimension.low, drawn, dimension.high)
    return round(drawn) if dimension.integer else float(drawn)


def _within(low: float, drawn: float, high: float) -> float:
    """A number of a range in few digits, rounded inwards at its ends."""
    width = high - low
    for rounding in (ROUND_HALF_EVEN, ROUND_CEILING, ROUND_FLOOR):
        short = shortened(drawn, width, rounding=rounding)
        if low <= short <= high:
            return short
    return drawn


def shortened(
    number: float, spread: float, digits: int = _DRAWN_DIGITS, rounding: str = ROUND_HALF_EVEN
) -> float:
    """A number in so many digits, or to as many of what it is spread over where that is finer."""
    if number == 0.0:
        return 0.0
    first = min(Decimal(repr(scale)).adjusted() for scale in (number, spread) if scale)
    with localcontext(prec=_DIGITS):
        return float(Decimal(repr(number)).quantize(Decimal((0, (1,), first + 1 - digits)), rounding))


def multiple(number: float, step: float, rounding: str = ROUND_HALF_EVEN) -> float:
    """The multiple of a step nearest to a number, in decimals: three times 0.1 is 0.3."""
    exact = Decimal(repr(step))
    with localcontext(prec=_DIGITS):
        return float((Decimal(repr(number)) / exact).quantize(Decimal(1), rounding=rounding) * exact)
