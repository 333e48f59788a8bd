"""From the configuration that W&B hands out to the values of a trial, as the sweep's file has them."""

from collections.abc import Mapping
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.space import Choice, Dimension, Range, Space, Value, Values


def flat(config: Mapping[str, Any], above: str = "") -> Values:
    """`{"optimizer": {"lr": 0.1}}` as `{"optimizer.lr": 0.1}`."""
    values: Values = {}
    for key, value in config.items():
        values |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return values


def fitting(space: Space, values: Values) -> Values:
    """Values as the file has them: JSON makes 0 of 0.0, and what is chosen from is written in the file.

    Raises:
        UsageError: some are not of the file; the sweep was changed where W&B keeps it.
    """
    dimensions = {parameter.key: parameter.dimension for parameter in space.parameters}
    fit: Values = {}
    problems = []
    for key, value in values.items():
        known = _known(dimensions[key], value) if key in dimensions else []
        if known:
            fit[key] = known[0]
        else:
            (word,) = words_of({key: value})
            problems.append(f"W&B hands out {word}, which the sweep's file does not have")
    if problems:
        raise UsageError(problems, "it was changed there; make a sweep of its own for that")
    return fit


def _known(dimension: Dimension, value: Value) -> list[Value]:
    """What of a dimension a value means: first what is the same in kind, too."""
    if isinstance(dimension, Choice):
        alike = [
            one
            for one in dimension.values
            if one == value and isinstance(one, bool) == isinstance(value, bool)
        ]
        return sorted(alike, key=lambda one: type(one) is not type(value))
    if not isinstance(value, int | float) or isinstance(value, bool):
        return []
    if isinstance(dimension, Range) and not dimension.low <= value <= dimension.high:
        return []
    return [int(value) if dimension.integer else float(value)]
