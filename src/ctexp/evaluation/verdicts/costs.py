"""What an experiment took to train, and what it takes to use, from its records alone."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ctexp.core import files
from ctexp.core.errors import CtexpError
from ctexp.evaluation.verdicts.documents import Cost
from ctexp.record import history
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from ctexp.record.values import finite


def cost(subject: Subject, split: str) -> Cost:
    """The cost of a subject's runs; means over them where they have one each.

    Args:
        subject: whose.
        split: the one whose evaluation told the speed.
    """
    runs = subject.runs
    minutes = [seconds / 60 for run in runs if (seconds := _seconds(run)) is not None]
    manifests = [manifest for run in runs if (manifest := run.read().manifest)]
    speeds = [_speed(run, "val" if subject.place else split) for run in runs]
    return Cost(
        training_minutes=_mean(minutes),
        training_minutes_total=sum(minutes) if len(minutes) == len(runs) else None,
        devices=tuple(dict.fromkeys(one.device for one in manifests if one.device)),
        parameters=_parameters(manifests),
        latency_ms=_mean(speed.get("latency_ms") for speed in speeds),
        images_per_second=_mean(speed.get("images_per_second") for speed in speeds),
        memory_mb=max((peak for run in runs if (peak := _peak(run)) is not None), default=None),
    )


def _seconds(run: RunDir) -> float | None:
    """Of all starts together; None where one was killed unseen."""
    try:
        told = [Attempt.read(run.attempt(number)).duration_seconds for number in run.attempt_numbers()]
    except CtexpError:
        return None
    known = [seconds for seconds in told if seconds is not None]
    return sum(known) if known and len(known) == len(told) else None


def _parameters(manifests: Iterable[Manifest]) -> int | None:
    counts = {manifest.model.parameters for manifest in manifests}
    return counts.pop() if len(counts) == 1 else None


def _speed(run: RunDir, split: str) -> Mapping[str, Any]:
    """What `evaluate` measured of inference; nothing where it was not asked, and in older records."""
    try:
        return files.read_json(run.metrics)["splits"][split].get("speed") or {}
    except (CtexpError, KeyError, AttributeError, TypeError):
        return {}


def _peak(run: RunDir) -> float | None:
    """MiB: of the GPU, or of the process where there was none."""
    try:
        rows = history.read(run.history)
    except CtexpError:
        return None
    for column in ("gpu_memory_mb", "rss_mb"):
        values = [value for row in rows if (value := finite(row.get(column))) is not None]
        if values:
            return max(values)
    return None


def _mean(values: Iterable[Any]) -> float | None:
    known = [number for value in values if (number := finite(value)) is not None]
    return float(np.mean(known)) if known else None
