"""What a finished job measured, from its record alone."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.core.files import read_regular

CROSS_VALIDATIONS = "cross-validations"
SWEEPS = "sweeps"
"""Where those lie below the runs; said here anew, since the room of records takes long to load."""


def value(runs: Path, run_id: str, metric: str) -> dict[str, float | None] | None:
    """A metric with the interval it lies in.

    The validation of a cross-validation is what it says of every image out of fold. That of a sweep is what
    the runs of its best trial say: their mean, from the lowest to the highest end of their intervals.

    Args:
        runs: the folder of all runs.
        run_id: of a run, a cross-validation or a sweep.
        metric: `val/macro_f1` or the like.

    Returns:
        `value`, `low` and `high`, the latter two None where there is no interval; None where the metric was
        not measured, is not defined, or the record cannot be read.
    """
    sweep = runs / SWEEPS / run_id
    if sweep.is_dir():
        return _of_best(runs, best_of(sweep), metric)
    split, _, name = metric.partition("/")
    folder = runs / CROSS_VALIDATIONS / run_id
    if folder.is_dir():
        split = "oof" if split == "val" else split
        return _entry(document(folder / "metrics.json"), "splits", split, "metrics", f"{split}/{name}")
    return _entry(document(runs / run_id / "result.json"), "metrics", metric) or _entry(
        document(runs / run_id / "metrics.json"), "splits", split, "metrics", metric
    )


def best_of(sweep: Path) -> Mapping[str, Any]:
    """The best trial of a sweep, as its `progress.json` has it; empty where there is none."""
    best = document(sweep / "progress.json").get("best")
    return best if isinstance(best, dict) else {}


def chosen_by(sweep: Path) -> list[str]:
    """The overrides of its best trial that its file brings: those of all trials, then what sets it apart."""
    brought = document(sweep / "sweep.json").get("common"), best_of(sweep).get("overrides")
    return [str(word) for words in brought if isinstance(words, list) for word in words]


def _of_best(runs: Path, best: Mapping[str, Any], metric: str) -> dict[str, float | None] | None:
    """Over all runs of a trial; None unless each of them tells."""
    ids = best.get("runs") or []
    found = [told for run in ids if (told := value(runs, str(run), metric))]
    if not found or len(found) < len(ids):
        return None
    values, lows, highs = ([one[name] for one in found] for name in ("value", "low", "high"))
    known = [one for one in values if one is not None]
    low, high = [one for one in lows if one is not None], [one for one in highs if one is not None]
    whole = len(low) == len(high) == len(found)
    return {
        "value": sum(known) / len(known),
        "low": min(low) if whole else None,
        "high": max(high) if whole else None,
    }


def document(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none that can be read."""
    try:
        found = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _entry(entry: Any, *keys: str) -> dict[str, float | None] | None:
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    found = figures(entry if isinstance(entry, dict) else {})
    return None if found["value"] is None else found


def figures(entry: Mapping[str, Any]) -> dict[str, float | None]:
    """Value and interval of a metric; what is no finite number is None."""
    return {name: _number(entry.get(name)) for name in ("value", "low", "high")}


def _number(said: Any) -> float | None:
    return said if isinstance(said, int | float) and abs(said) <= sys.float_info.max else None
