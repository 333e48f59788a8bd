"""How far a sweep has come: `progress.json`, from its trials."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from ctexp.core import clock
from ctexp.core.errors import DataError
from ctexp.record.sweep import BestTrial, SweepDir, SweepProgress
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.trials import Row, TrialState


def progress_of(place: SweepDir, spec: Spec, rows: Sequence[Row], why: str = "") -> SweepProgress:
    """The document.

    Args:
        place: the sweep's folder.
        spec: its file.
        rows: its trials.
        why: nothing is left; empty where there may be more.
    """
    counts, now = Counter(row.state for row in rows), clock.iso(clock.now())
    best = next(iter(spec.ranked(rows)), None)
    return SweepProgress(
        id=place.id,
        counts={state: counts[state] for state in get_args(TrialState)},
        seconds=sum(row.seconds or 0.0 for row in rows if row.state != "reused"),
        best=None if best is None else _told(best),
        updated=now,
        ended=now if why else None,
        why=why,
    )


def _told(best: Row) -> BestTrial:
    return BestTrial(
        number=best.number,
        overrides=words_of(best.values),
        value=float(best.value or 0.0),
        mean=best.mean,
        error=best.error,
        runs=tuple(best.runs.values()),
    )


def write(place: SweepDir, spec: Spec, rows: Sequence[Row], why: str = "") -> None:
    """Replace `progress.json`; nobody else may be writing it. A sweep that has ended stays as it is.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    document = progress_of(place, spec, rows, why)
    if why and place.progress.is_file():
        try:
            before = SweepProgress.read(place.progress)
        except DataError:
            before = None
        if before is not None and before.why == why and before.counts == document.counts:
            return
    document.write(place.progress)
