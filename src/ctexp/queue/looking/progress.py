"""How far an attempt has come, read from what its run has written so far: plain text, no schema.

A look must answer at once and whatever state the files are in: what cannot be read is simply not told.
"""

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.queue.measured import CROSS_VALIDATIONS, SWEEPS, best_of, document
from ctexp.queue.state import Attempt

_LAST = 5
"""Epochs by whose mean the pace is told."""

_TAIL = len("20261121-050417_ab2cd3")

_OVER = ("finished", "pruned", "failed", "reused")
_EPOCHS = re.compile(r"\n  max_epochs: (\d+)\n")  # begins with what is quick to find


@dataclass(frozen=True)
class Progress:
    """What a run tells of itself; None for what it does not.

    Attributes:
        run: its id; of a cross-validation that of the newest fold.
        epoch: whole epochs done, of `epochs` at most.
        loss: of training in the last epoch.
        values: what else the last row of its history holds.
        epoch_seconds: what an epoch takes, the mean of the last five.
        folds_done: of a cross-validation, of `folds`.
        trials: of a sweep that are over; `values` are then those of the best, by `progress.json`.
        written: when the history last changed, seconds since 1970.
    """

    run: str | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    values: Mapping[str, float] | None = None
    epoch_seconds: float | None = None
    folds_done: int | None = None
    folds: int | None = None
    trials: int | None = None
    written: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far, all epochs counted, from when the history was written."""
        several = self.folds is not None or self.trials is not None
        if self.epoch is None or self.epochs is None or self.epoch_seconds is None or several:
            return None
        return (self.epochs - self.epoch) * self.epoch_seconds


def progress(runs: Path, queue: str, job: str, attempt: Attempt) -> Progress:
    """Look at the run of an attempt, whether it has ended or not.

    Args:
        runs: the folder of all runs.
        queue: the queue's id, which the run's manifest names.
        job: the job's id, likewise.
        attempt: which of its attempts.
    """
    try:
        return _progress(runs, queue, job, attempt)
    except (AttributeError, OSError, TypeError, ValueError):  # not of the shape that we write
        return Progress()


def _progress(runs: Path, queue: str, job: str, attempt: Attempt) -> Progress:
    named = attempt.run
    if named and not (runs / named).is_dir():  # most are plain runs: asked first, of thousands of jobs
        if (runs / CROSS_VALIDATIONS / named).is_dir():
            return _folds(runs, runs / CROSS_VALIDATIONS / named)
        if (runs / SWEEPS / named).is_dir():
            return _trials(runs / SWEEPS / named, _newest(runs, queue, job, attempt.start.get("time", "")))
    if named:
        return _one(runs / named)
    path = _newest(runs, queue, job, attempt.start.get("time", ""))
    if path is None:
        return Progress()
    parent = _origin(path).get("parent")
    if isinstance(parent, str) and (runs / CROSS_VALIDATIONS / parent).is_dir():
        return _folds(runs, runs / CROSS_VALIDATIONS / parent, path)
    if isinstance(parent, str) and (runs / SWEEPS / parent).is_dir():
        return _trials(runs / SWEEPS / parent, path)
    return _one(path)


def _folds(runs: Path, place: Path, newest: Path | None = None) -> Progress:
    """A cross-validation: its folds, and the newest of them as a run."""
    members = document(place / "cross_validation.json").get("members", [])
    begun = [member["run_id"] for member in members if member.get("run_id")]
    newest = newest or (runs / begun[-1] if begun else None)
    fold = _one(newest) if newest else Progress()
    done = sum(member.get("state") == "finished" for member in members)
    return Progress(**{**vars(fold), "folds_done": done, "folds": len(members)})


def _trials(place: Path, newest: Path | None) -> Progress:
    """A sweep: how many trials are over, the best of them, and the newest as a run."""
    counts, best = document(place / "progress.json").get("counts") or {}, best_of(place)
    over = sum(counts.get(state, 0) for state in _OVER)
    value = _number(best.get("mean", best.get("value")))
    trial = _one(newest) if newest else Progress()
    values = {} if value is None else {str(document(place / "sweep.json").get("metric")): value}
    return Progress(**{**vars(trial), "run": place.name, "values": values, "trials": over})


def _one(path: Path) -> Progress:
    history = path / "history.csv"
    heading, *rows = _text(history).splitlines() or [""]
    names = heading.split(",")
    last = _values(names, rows[-1]) if rows else {}
    paces = [seconds for row in rows[-_LAST:] if (seconds := _values(names, row).get("seconds")) is not None]
    asked = _EPOCHS.search(_text(path / "config.yaml"))
    return Progress(
        run=path.name,
        epoch=int(last.get("epoch", 0)),
        epochs=int(asked[1]) if asked else None,
        loss=last.get("train/loss"),
        values=last,
        epoch_seconds=sum(paces) / len(paces) if paces else None,
        written=history.stat().st_mtime if rows else None,
    )


def _values(names: Sequence[str], row: str) -> dict[str, float]:
    """The finite numbers of a row of a history, which has no text and no quotes, as far as it can be read."""
    cells = zip(names, row.split(","), strict=False)
    return {name: number for name, cell in cells if (number := _number(cell)) is not None}


def _newest(runs: Path, queue: str, job: str, since: str) -> Path | None:
    """The newest run that says to be of this job, begun since then; nothing else points to it yet."""
    try:
        # Names tell whole seconds: a run of this very second may be ours.
        first = clock.stamp(datetime.fromisoformat(since))
        names = os.listdir(runs)  # noqa: PTH208 - a tenth of the time of paths, and there may be 100,000
    except (OSError, ValueError):
        return None
    # A run's id ends in its time and six characters.
    young = [(name[-_TAIL:], name) for name in names if name[-_TAIL:] >= first and name.count("_") >= 2]
    for _, name in sorted(young, reverse=True):
        origin = _origin(runs / name)
        if origin.get("queue") == queue and origin.get("job") == job:
            return runs / name
    return None


def _origin(run: Path) -> dict[str, Any]:
    """Who asked for a run."""
    origin = document(run / "manifest.json").get("origin")
    return origin if isinstance(origin, dict) else {}


def _number(cell: Any) -> float | None:
    try:
        number = float(cell)
    except (OverflowError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
