"""Single values of a dimension: its ends, and the one at a quantile."""

import math
from statistics import NormalDist

from ctexp.sweeps.space import Bell, Choice, Dimension, Value

_FAR = (0.5, 0.01, 0.99)
"""Quantiles of what has no ends."""


def ends(dimension: Dimension) -> tuple[Value, ...]:
    """Every value of a choice, both ends of a range, the middle and far values of a bell."""
    if isinstance(dimension, Choice):
        return dimension.values
    quantiles = _FAR if isinstance(dimension, Bell) else (0.0, 1.0)
    return tuple(drawn(dimension, quantile) for quantile in quantiles)


def drawn(dimension: Dimension, quantile: float) -> Value:
    """The value that this share of draws lies below: a draw, if the share is drawn evenly from 0 to 1."""
    if isinstance(dimension, Choice):
        return _chosen(dimension, quantile)
    if isinstance(dimension, Bell):
        inside = min(max(quantile, 1e-9), 1 - 1e-9)
        number = NormalDist(dimension.mean, dimension.sd).inv_cdf(inside)
        number = math.exp(number) if dimension.log else number
    elif dimension.log:
        low, high = math.log(dimension.low), math.log(dimension.high)
        number = min(max(math.exp(low + quantile * (high - low)), dimension.low), dimension.high)
    else:
        number = dimension.low + quantile * (dimension.high - dimension.low)
    step = dimension.step or (1 if dimension.integer else None)
    if step is not None:
        number = float(f"{round(number / step) * step:.12g}")
    return int(number) if dimension.integer else number


def _chosen(choice: Choice, quantile: float) -> Value:
    weights = choice.weights or (1 / len(choice.values),) * len(choice.values)
    below = 0.0
    for value, weight in zip(choice.values, weights, strict=True):
        below += weight
        if quantile < below:
            return value
    return choice.values[-1]
