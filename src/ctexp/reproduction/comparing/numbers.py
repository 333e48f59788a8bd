"""What two runs measured: metrics with their intervals, and every epoch."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ctexp.core import files
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError
from ctexp.record import history
from ctexp.record.calibration import Calibration
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.verdict import Area, Compared, Difference

_BESIDE_METRICS = ("step", "learning_rate")
"""Columns of a history that are no metrics and follow from the training; all others tell how fast it went."""

_OF_A_TRAINING = ("n", "groups", "metrics", "per_class", "confusion")
"""What a training writes of a split; evaluations add to it."""

_NAMED = 8


@dataclass(frozen=True)
class Held:
    """Two things that were held side by side.

    Attributes:
        compared: what came of it.
        differences: the first of them, and how many more.
    """

    compared: Compared
    differences: tuple[Difference, ...] = ()


def metrics(one: RunDir, other: RunDir, split: str, tolerance: float | None) -> Held:
    """All that a training writes of a split: `metrics.json`, the headline of `result.json`, the temperature.

    Args:
        one: the recorded run.
        other: the second one.
        split: of the metrics.
        tolerance: how far a number may be from the recorded one, times that where it is over 1; None where
            every bit has to be the same. Only point values are held to it: intervals follow from them.

    Raises:
        DataError: one of the two has none.
    """
    recorded, found = (_numbers(run, split) for run in (one, other))
    return _held("metrics", f"metrics of {split}", "numbers", recorded, found, tolerance)


def epochs(one: RunDir, other: RunDir, *, counts: bool) -> Held:
    """Both histories: metrics, steps and learning rates.

    Raises:
        DataError: one of the two cannot be read.
    """
    recorded, found = (_epochs(run) for run in (one, other))
    return _held("history", "history", "numbers", recorded, found, None if counts else math.inf)


def _held(
    area: Area,
    what: str,
    unit: str,
    recorded: Mapping[str, Any],
    found: Mapping[str, Any],
    tolerance: float | None,
) -> Held:
    keys = [*recorded, *(key for key in found if key not in recorded)]
    apart = [key for key in keys if not _same(recorded.get(key), found.get(key))]
    distances = [
        abs(recorded[key] - found[key])
        for key in apart
        if _is_finite(recorded.get(key)) and _is_finite(found.get(key))
    ]
    over = [key for key in apart if _matters(key, recorded.get(key), found.get(key), tolerance)]
    compared = Compared(
        area=area,
        what=what,
        number=len(keys),
        unit=unit,
        identical=not apart,
        largest=max(distances, default=None),
        changed=len(apart),
    )
    return Held(compared, tuple(_told(area, what, over, recorded, found)))


def _told(
    area: Area, what: str, keys: list[str], recorded: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[Difference]:
    for key in keys[:_NAMED]:
        yield Difference(area=area, what=key, recorded=_said(recorded, key), found=_said(found, key))
    if len(keys) > _NAMED:
        yield Difference(area=area, what=f"{len(keys) - _NAMED} more numbers of {what}")


def _matters(key: str, recorded: Any, found: Any, tolerance: float | None) -> bool:
    if tolerance is None:
        return True
    if tolerance == math.inf or not key.endswith(".value"):
        return False
    if not (_is_finite(recorded) and _is_finite(found)):
        return True
    return bool(abs(recorded - found) > tolerance * max(1.0, abs(recorded)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return one == other or (_is_number(one) and _is_number(other) and math.isnan(one) and math.isnan(other))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def _said(numbers: Mapping[str, Any], key: str) -> str | None:
    return repr(numbers[key]) if key in numbers else None


def _numbers(run: RunDir, split: str) -> dict[str, Any]:
    """`val/macro_f1.value` and the like; those that stand in another file are named with it."""
    try:
        summary = files.read_json(run.metrics)["splits"][split]
        flat = flattened({key: summary[key] for key in _OF_A_TRAINING if key in summary})
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{run.metrics}: has no figures of {split}") from error
    return {key.removeprefix("metrics."): value for key, value in flat.items()} | _beside_metrics(run, split)


def _beside_metrics(run: RunDir, split: str) -> dict[str, Any]:
    """What `inv runs` shows, and the temperature: both are read without looking into `metrics.json`."""
    result = Result.read(run.result)
    prefix = f"{split}/"
    headline = {name: its.model_dump() for name, its in result.metrics.items() if name.startswith(prefix)}
    found = flattened({"epochs": result.epochs} | headline, f"{run.result.name}: ")
    if run.calibration.is_file():
        found[f"{run.calibration.name}: temperature"] = Calibration.read(run.calibration).temperature
    return found


def _epochs(run: RunDir) -> dict[str, Any]:
    """`epoch 3, val/loss` and the like.

    Raises:
        DataError: it cannot be read, or an epoch stands there twice.
    """
    rows = history.read(run.history)
    epochs = [row["epoch"] or 0.0 for row in rows]
    if any(after <= before for before, after in pairwise(epochs)):
        raise DataError(f"{run.history}: its epochs do not rise")
    return {
        f"epoch {row['epoch']:g}, {name}": value
        for row in rows
        for name, value in row.items()
        if "/" in name or name in _BESIDE_METRICS
    }
