"""What a run's record says of itself in one number."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.manifest import Attempt
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir


def value_of(run: RunDir, result: Result | None, metric: str) -> float | None:
    """A metric of the best checkpoint: a headline of the result, or any other in `metrics.json`.

    Args:
        run: the run.
        result: how it ended.
        metric: `val/macro_f1`.

    Returns:
        None where it is undefined or was not measured.
    """
    if result is not None and metric in result.metrics:
        return result.metrics[metric].value
    split, _, name = metric.partition("/")
    entry = entry_of(run.metrics, split, name)
    return None if entry is None else entry.value


class Entry(NamedTuple):
    """A metric and its 95 % interval; None for what is undefined, or no finite number."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The interval; None unless it has both ends."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def entry_of(file: Path, split: str, name: str) -> Entry | None:
    """A metric of a `metrics.json`; None where it has none, or cannot be read.

    Args:
        file: of a run or of a cross-validation.
        split: as it is called there: `val`, `test`, `oof`.
        name: of the metric, without its split.
    """
    try:
        said = files.read_json(file)["splits"][split]["metrics"][f"{split}/{name}"]
        return Entry(*(finite(said.get(part)) for part in Entry._fields))
    except (DataError, AttributeError, KeyError, TypeError):
        return None


def finite(said: Any) -> float | None:
    """A finite number as a float; None for anything else that JSON may hold."""
    try:
        known = isinstance(said, int | float) and math.isfinite(said)
    except OverflowError:  # a whole number with hundreds of digits
        known = False
    return float(said) if known else None


def seconds_of(run: RunDir) -> float | None:
    """How long all starts of a run took together, as far as their ends were seen."""
    known = []
    for number in run.attempt_numbers():
        try:
            known.append(Attempt.read(run.attempt(number)).duration_seconds)
        except DataError:
            continue
    seconds = [value for value in known if value is not None]
    return sum(seconds) if seconds else None
