"""Is it what it was trained for: a metric beyond a stated value, by its interval and never by itself.

The figures are those the records hold. A test split that nobody has opened stays closed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ctexp.config.verdict import TargetSettings
from ctexp.core import files
from ctexp.core.errors import CtexpError
from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.verdicts.documents import Target
from ctexp.record.subjects import Subject


def target(subject: Subject, asked: TargetSettings) -> Target:
    """Whether a subject meets a target.

    With several seeds every one of them has to: it is met where the lowest end of their intervals is beyond
    the target, missed where the highest end falls short of it, undecided otherwise.

    Args:
        subject: of whose seeds each has figures of its own; a cross-validation has them out of fold, which
            stand for validation.
        asked: the target.
    """
    split, _, name = asked.metric.partition("/")
    if subject.place:
        if split != "val":
            return _unknown(asked, f"a cross-validation has no {split} split")
        places, split = [subject.place.metrics], "oof"
    else:
        places = [run.metrics for run in subject.runs]
    found = [_entry(path, split, name) for path in places]
    known = [entry for entry in found if entry]
    if not known:
        return _unknown(
            asked,
            "the test split has not been looked at" if split == "test" else f"no record has {split}/{name}",
        )
    bounds = [bound for entry in known for bound in (entry["low"], entry["high"]) if bound is not None]
    measured = float(np.mean([entry["value"] for entry in known]))
    if len(known) < len(found):
        return _unknown(asked, f"only {len(known)} of {len(found)} seeds have {split} figures", measured)
    if len(bounds) < 2 * len(known):
        lacking = len(found) - len(bounds) // 2
        return _unknown(
            asked, f"{lacking} of {len(found)} seeds have no {split}/{name} with an interval", measured
        )
    low, high = min(bounds), max(bounds)
    rising = higher_is_better(asked.metric)
    beyond, short = (low >= asked.value, high < asked.value)
    if not rising:
        beyond, short = (high <= asked.value, low > asked.value)
    return Target(
        metric=asked.metric,
        value=asked.value,
        status="met" if beyond else "missed" if short else "undecided",
        measured=measured,
        low=low,
        high=high,
        said=_said(f"{split}/{name}", measured, low, high, len(known)),
    )


def _said(metric: str, measured: float, low: float, high: float, seeds: int) -> str:
    of = "" if seeds == 1 else f", mean of {seeds} seeds"
    over = "95 % interval" if seeds == 1 else "95 % intervals of all seeds"
    return f"{metric} {measured:.3f}{of}, {over} {low:.3f} to {high:.3f}"


def _unknown(asked: TargetSettings, said: str, measured: float | None = None) -> Target:
    return Target(metric=asked.metric, value=asked.value, status="undecided", measured=measured, said=said)


def _entry(path: Path, split: str, name: str) -> Mapping[str, Any] | None:
    """A metric of a record; None where there is none, it is undefined or damaged."""
    try:
        entry = files.read_json(path)["splits"][split]["metrics"][f"{split}/{name}"]
        whole = isinstance(entry["value"], int | float) and all(
            isinstance(entry[bound], int | float | None) for bound in ("low", "high")
        )
        return entry if whole else None
    except (CtexpError, KeyError, TypeError):
        return None
