"""The cells of a grid: every combination of values that conditions and constraints leave, each once."""

import json
import math
from collections.abc import Iterator

from ctexp.core.errors import UsageError
from ctexp.sweeps.file.sampled import rounded
from ctexp.sweeps.space import Bell, Choice, Dimension, Parameter, Space, Value, Values

MOST_CELLS = 10_000
"""More would be a slip: a thousand images with four classes do not answer so many questions."""


def cells(space: Space) -> list[Values]:
    """All of them, in the order of the file; the last parameter changes fastest.

    Raises:
        UsageError: one of its parameters has no end of values, or there are too many cells.
    """
    found: dict[str, Values] = {}
    for count, values in enumerate(_combined(space.parameters, {})):
        if all(constraint.holds(values) for constraint in space.constraints):
            found.setdefault(json.dumps(values), values)
        if len(found) > MOST_CELLS or count > 20 * MOST_CELLS:
            raise UsageError(
                f"more than {MOST_CELLS} combinations", "search them: method: bayes or random, with a run_cap"
            )
    return list(found.values())


def points(dimension: Dimension) -> tuple[Value, ...] | None:
    """Every value of a dimension; None where there is no end of them."""
    if isinstance(dimension, Choice):
        return dimension.values
    if isinstance(dimension, Bell) or (dimension.step is None and not dimension.integer):
        return None
    step = dimension.step or 1
    count = math.floor(min((dimension.high - dimension.low) / step + 1e-9, MOST_CELLS)) + 1
    return tuple(rounded(dimension.low + number * step, dimension) for number in range(count))


def size(space: Space) -> int | None:
    """How many different trials there are; None where there is no end of them, or too many to train."""
    try:
        return len(cells(space))
    except UsageError:
        return None


def is_finite(space: Space) -> bool:
    """Whether `cells` has all trials there can be."""
    return size(space) is not None


def _combined(parameters: tuple[Parameter, ...], chosen: Values) -> Iterator[Values]:
    if not parameters:
        yield chosen
        return
    first, *rest = parameters
    if first.when is not None and not first.when.holds(chosen):
        yield from _combined(tuple(rest), chosen)
        return
    values = points(first.dimension)
    if values is None:
        raise UsageError(f"{first.key}: a grid takes values, whole numbers, or a range with a step")
    for value in values:
        yield from _combined(tuple(rest), {**chosen, first.key: value})
