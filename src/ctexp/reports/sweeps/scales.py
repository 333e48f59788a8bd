"""Where the values of parameters and of the objective lie on an axis."""

from collections.abc import Sequence

from ctexp.reports.charts.axes import Axis
from ctexp.reports.wording import plain
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.space import Bell, Choice, Parameter, Value
from ctexp.sweeps.trials import Row

_ROOM = 0.04  # beyond the outermost trial


def objective(opened: Opened) -> Axis:
    """The values of the finished trials, errors included; others lie at the edge where they lie beyond."""
    known = [(row.value or 0.0, row.error or 0.0) for row in opened.ranked]
    ends = [value + side * error for value, error in known for side in (-1, 1)]
    return Axis(measured(opened), *_around(ends or [0.0, 1.0]))


def measured(opened: Opened) -> str:
    """What the objective is, in a few words: `macro F1 on validation, mean of 3`."""
    split, _, metric = opened.spec.metric.partition("/")
    count = max((len(row.runs) for row in opened.rows), default=1)
    mean = f", mean of {count}" if count > 1 else ""
    mean = f"{mean} less its error" if opened.spec.objective != "mean" else mean
    return f"{plain(metric)}, {plain(split)}{mean}"


def numbers(one: Parameter, rows: Sequence[Row]) -> Axis | None:
    """The axis of a parameter that is a number; None for choices that are none."""
    its = one.dimension
    if isinstance(its, Choice):
        values = [value for value in its.values if isinstance(value, int | float)]
        if len(values) < len(its.values) or any(isinstance(value, bool) for value in values):
            return None
        low, high = min(values), max(values)
        log = low > 0 and high >= 50 * low
    elif isinstance(its, Bell):
        seen = [value for row in rows if isinstance(value := row.values.get(one.key), int | float)]
        low, high, log = min(seen, default=0.0), max(seen, default=1.0), its.log
    else:
        low, high, log = its.low, its.high, its.log
    if log:
        return Axis(one.key, low / 1.15, high * 1.15, log=True)
    whole = isinstance(low, int) and isinstance(high, int)
    return Axis(one.key, *_around([low, high]), whole=whole)


def text(value: Value) -> str:
    """A choice as it stands on a page."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _around(ends: Sequence[float]) -> tuple[float, float]:
    low, high = min(ends), max(ends)
    room = _ROOM * (high - low) or 0.05 * (abs(high) or 1.0)
    return low - room, high + room
