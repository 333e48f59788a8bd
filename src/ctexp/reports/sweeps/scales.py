"""Where the values of parameters and of the objective lie on an axis."""

from collections.abc import Sequence

from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.parallel import Scale
from ctexp.reports.wording import plain
from ctexp.sweeps.reading.opened import Opened, number
from ctexp.sweeps.space import Bell, Choice, Parameter, Value
from ctexp.sweeps.trials import Row

_ROOM = 0.04  # beyond the outermost trial
_MAGNITUDES = 50.0  # numbers to choose from that are so far apart lie on the scale of their logarithm


def objective(opened: Opened) -> Axis:
    """The values of the finished trials, errors included; others lie at the edge where they lie beyond."""
    known = [(number(row.value), row.error or 0.0) for row in opened.ranked]
    ends = [value + side * error for value, error in known for side in (-1, 1)]
    return _around(measured(opened), ends or [0.0, 1.0])


def measured(opened: Opened) -> str:
    """What the objective is, in a few words: `macro F1, validation, mean of 3`."""
    split, _, metric = opened.spec.metric.partition("/")
    count = max((len(row.runs) for row in opened.rows), default=1)
    mean = f", mean of {count}" if count > 1 else ""
    worse = ", worse by its error" if opened.spec.objective != "mean" else ""
    lower = " (lower is better)" if opened.spec.goal == "minimize" else ""
    return f"{plain(metric)}, {plain(split)}{mean}{worse}{lower}"


def of_parameter(one: Parameter, rows: Sequence[Row]) -> Scale:
    """The axis of a parameter: of numbers where all it can be are, else of its choices.

    Args:
        one: the parameter.
        rows: the trials to be shown: a parameter without ends goes as far as they do.
    """
    its = one.dimension
    if isinstance(its, Bell):
        seen = [number(row.values[one.key]) for row in rows if one.key in row.values]
        return Scale(one.key, _numbers(one.key, seen or [0.0, 1.0], log=its.log))
    if not isinstance(its, Choice):
        return Scale(one.key, _numbers(one.key, [its.low, its.high], log=its.log))
    values = [value for value in its.values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(values) == len(its.values):
        low, high = min(values), max(values)
        return Scale(one.key, _numbers(one.key, [low, high], log=low > 0 and high >= _MAGNITUDES * low))
    names = tuple(text(value) for value in its.values)
    return Scale(one.key, Axis("", 0, max(1, len(names) - 1)), names)


def placed(scale: Scale, row: Row) -> float | None:
    """Where a trial lies on the axis of a parameter; None where that does not apply to it."""
    if scale.name not in row.values:
        return None
    value = row.values[scale.name]
    return float(scale.choices.index(text(value))) if scale.choices else number(value)


def text(value: Value) -> str:
    """A choice as it stands on a page."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _numbers(name: str, ends: Sequence[float], *, log: bool) -> Axis:
    if log:
        return Axis(name, min(ends) / 1.15, max(ends) * 1.15, log=True)
    return _around(name, ends, whole=all(isinstance(end, int) for end in ends))


def _around(name: str, ends: Sequence[float], *, whole: bool = False) -> Axis:
    low, high = min(ends), max(ends)
    room = _ROOM * (high - low) or 0.05 * (abs(high) or 1.0)
    return Axis(name, low - room, high + room, whole)
