"""Single values of a dimension: its ends, the one at a quantile, and what a number is rounded to."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from itertools import accumulate
from statistics import NormalDist

from ctexp.sweeps.space import Bell, Choice, Dimension, Range, Value

_EDGE = 1e-3
"""A bell has no ends, and a sampler that learns goes to every end: it is cut at three standard deviations."""

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
        weights = dimension.weights or (1.0 / len(dimension.values),) * len(dimension.values)
        below = list(accumulate(weights))
        return dimension.values[next((i for i, end in enumerate(below) if quantile < end), len(below) - 1)]
    if isinstance(dimension, Bell):
        drawn = NormalDist(dimension.mean, dimension.sd).inv_cdf(min(max(quantile, _EDGE), 1 - _EDGE))
        drawn = math.exp(drawn) if dimension.log else drawn
        if dimension.step is not None:
            drawn = multiple(drawn, dimension.step)
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
    """A number as a value of a range: a multiple of its step, whole where it is of whole numbers."""
    if dimension.step is not None:
        low = multiple(dimension.low, dimension.step, ROUND_CEILING)
        high = multiple(dimension.high, dimension.step, ROUND_FLOOR)
        drawn = min(max(multiple(drawn, dimension.step), low), high)
    return round(drawn) if dimension.integer else float(drawn)


def multiple(number: float, step: float, rounding: str = ROUND_HALF_EVEN) -> float:
    """The multiple of a step nearest to a number, in decimals: three times 0.1 is 0.3."""
    exact = Decimal(repr(step))
    with localcontext(prec=_DIGITS):
        return float((Decimal(repr(number)) / exact).quantize(Decimal(1), rounding=rounding) * exact)
