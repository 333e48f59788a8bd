"""A parameter as samplers see it, and its value where they have drawn something of that."""

import json
import math
import sys
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR
from statistics import NormalDist
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ctexp.sweeps.file.sampled import at_quantile, multiple, rounded
from ctexp.sweeps.space import Bell, Choice, Dimension, Parameter, Range, Space, Value, Values

QUANTILE = "~u"
"""Ends the name under which a sampler knows a parameter that it draws by its quantile, between 0 and 1."""


def name_of(parameter: Parameter) -> str:
    """What a sampler calls it."""
    return parameter.key + (QUANTILE if _by_quantile(parameter.dimension) else "")


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """What a sampler draws from: the values themselves where it can, else their quantile."""
    if isinstance(dimension, Choice) and dimension.weights is None:
        return CategoricalDistribution(_labels(dimension))
    if not isinstance(dimension, Range):
        return FloatDistribution(0.0, 1.0)
    low, high, step = dimension.low, dimension.high, dimension.step
    if step is not None and not dimension.log:
        low, high = multiple(low, step, ROUND_CEILING), multiple(high, step, ROUND_FLOOR)
    elif step is not None:
        step = None  # drawn on the scale of the logarithm, and rounded afterwards
    if dimension.integer:
        return IntDistribution(int(low), int(high), log=dimension.log, step=int(step or 1))
    return FloatDistribution(low, high, log=dimension.log, step=step)


def value_of(dimension: Dimension, drawn: Any) -> Value:
    """The parameter's value where a sampler drew this from `distribution_of` it."""
    if isinstance(dimension, Choice) and dimension.weights is None:
        return dimension.values[_labels(dimension).index(drawn)]
    if isinstance(dimension, Range):
        return rounded(drawn, dimension)
    return at_quantile(dimension, drawn)


def drawn_of(dimension: Dimension, value: Value) -> Any:
    """What a sampler would have drawn to get this value: the inverse of `value_of`."""
    if isinstance(dimension, Choice):
        index = [json.dumps(one) for one in dimension.values].index(json.dumps(value))
        if dimension.weights is None:
            return _labels(dimension)[index]
        return sum(dimension.weights[:index]) + dimension.weights[index] / 2
    if isinstance(dimension, Bell) and isinstance(value, int | float):
        bell, tiny = NormalDist(dimension.mean, dimension.sd), sys.float_info.min
        return bell.cdf(math.log(max(value, tiny)) if dimension.log else value)
    return value


def as_drawn(space: Space, values: Values) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """A trial's parameters as a sampler knows them, and what each was drawn from."""
    drawn, distributions = {}, {}
    for parameter in space.parameters:
        if parameter.key in values:
            drawn[name_of(parameter)] = drawn_of(parameter.dimension, values[parameter.key])
            distributions[name_of(parameter)] = distribution_of(parameter.dimension)
    return drawn, distributions


def same(values: Mapping[str, Value]) -> str:
    """A text that is the same for the same values."""
    return json.dumps(values, sort_keys=True)


def _by_quantile(dimension: Dimension) -> bool:
    """Samplers know neither bells nor weights."""
    return isinstance(dimension, Bell) or (isinstance(dimension, Choice) and dimension.weights is not None)


def _labels(dimension: Choice) -> list[Any]:
    """The choices as Optuna stores them: by their text where one is a list, or where 1 stands beside True."""
    values = dimension.values
    if any(isinstance(value, list) for value in values) or len(set(map(str, values))) > len(set(values)):
        return [json.dumps(value) for value in values]
    return list(values)
