"""A trial as commands print it: a line of a table, an entry of a document."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ctexp.cli.sentences import WIDTH
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.summary import Trial
from ctexp.sweeps.space import Value
from ctexp.sweeps.trials import Row

_BEST = 10


def table(its: Opened) -> list[str]:
    """The ten best trials, then others that were begun, a line each of `WIDTH` at most; empty without any."""
    ranked = {row.number for row in its.ranked}
    begun = [row for row in its.rows if row.number not in ranked and row.state != "waiting"]
    rows = [*its.ranked, *begun]
    if not rows:
        return []
    names = _short(its.chosen)
    lines = [("trial", "state", its.spec.metric, "overrides")]
    lines += [(str(row.number), row.state, _value(row), _overrides(row, names)) for row in rows[:_BEST]]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    found = [
        f"{number:>{widths[0]}}  {state:<{widths[1]}}  {value:<{widths[2]}}  {words}".rstrip()
        for number, state, value, words in lines
    ]
    found = [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in found]
    more = len(rows) - _BEST
    return [*found, f"{more} more: --json, or the page of sweep-report"] if more > 0 else found


def _value(row: Row) -> str:
    mean = row.value if row.mean is None else row.mean
    if mean is None:
        return "–"
    return f"{mean:.4f}" if row.error is None else f"{mean:.4f} ± {row.error:.4f}"


def _short(keys: Iterable[str]) -> Mapping[str, str]:
    """Keys by their last part where that is nobody else's: `optimizer.lr` is `lr`."""
    whole = list(keys)
    last = [key.rpartition(".")[2] for key in whole]
    return {key: its if last.count(its) == 1 else key for key, its in zip(whole, last, strict=True)}


def _overrides(row: Row, names: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_said(row.values[key])}" for key, name in names.items() if key in row.values)


def _said(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def of_row(its: Opened, row: Row) -> dict[str, Any]:
    """Everything the board keeps of a trial; `standard_error` is that of its mean, not a failure's."""
    entry = asdict(row)
    error = entry.pop("error")
    return entry | {
        "standard_error": error,
        "seconds": seconds(row.seconds),
        "curve": [(epoch, value if math.isfinite(value) else None) for epoch, value in row.curve],
        "overrides": list(its.words(row)),
    }


def of_trial(trial: Trial) -> dict[str, Any]:
    """A trial that readers go on from."""
    entry = asdict(trial)
    words, error = entry.pop("words"), entry.pop("error")
    return entry | {"overrides": words, "standard_error": error}


def seconds(value: float | None) -> float | None:
    """To the millisecond: more digits are nobody's business."""
    return None if value is None else round(value, 3)
