"""What a finished job measured, from its record alone."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CROSS_VALIDATIONS = "cross-validations"
"""Where those lie below the runs; said here anew, since the room of records takes long to load."""


def value(runs: Path, run_id: str, metric: str) -> dict[str, float | None] | None:
    """A metric with the interval it lies in.

    The validation of a cross-validation is what it says of every image out of fold.

    Args:
        runs: the folder of all runs.
        run_id: of a run or a cross-validation.
        metric: `val/macro_f1` or the like.

    Returns:
        `value`, `low` and `high`, the latter two None where there is no interval; None where the metric was
        not measured, is not defined, or the record cannot be read.
    """
    split, _, name = metric.partition("/")
    folder = runs / CROSS_VALIDATIONS / run_id
    if folder.is_dir():
        split = "oof" if split == "val" else split
        return _entry(_document(folder / "metrics.json"), "splits", split, "metrics", f"{split}/{name}")
    return _entry(_document(runs / run_id / "result.json"), "metrics", metric) or _entry(
        _document(runs / run_id / "metrics.json"), "splits", split, "metrics", metric
    )


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _entry(document: Any, *keys: str) -> dict[str, float | None] | None:
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    if not isinstance(document, dict):
        return None
    found = figures(document)
    return None if found["value"] is None else found


def figures(entry: Mapping[str, Any]) -> dict[str, float | None]:
    """Value and interval of a metric; what is no finite number is None."""
    return {name: _number(entry.get(name)) for name in ("value", "low", "high")}


def _number(said: Any) -> float | None:
    return said if isinstance(said, int | float) and abs(said) < math.inf else None
