"""What was measured of trainings that have no history: `runs/estimates.json`, read again by the night itself.

A cache: it may be deleted, and what is damaged in it is measured again.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ctexp.core import clock, files
from ctexp.core.errors import DataError
from ctexp.planning.past import Job
from ctexp.record.manifest import Estimate

SCHEMA_VERSION = 1
_FILE = "estimates.json"
_MOST = 1e15
"""Seconds or bytes: no training takes so much."""


@dataclass(frozen=True)
class Measurement:
    """What a trial of a few steps said of one kind of training.

    Attributes:
        kind: the workload and the device.
        train: images that an epoch learned from; val: those it looked at besides.
        at: when, UTC.
    """

    kind: tuple[tuple[str, Any], ...]
    train: int
    val: int
    fixed_seconds: float
    epoch_seconds: float
    memory_bytes: int
    disk_bytes: int
    largest_micro_batch: int | None
    basis: str
    at: str

    @classmethod
    def of(cls, job: Job, found: Estimate) -> Self:
        """What an estimate of this job amounts to, whatever the number of its epochs.

        Raises:
            ValueError: it does not say what an epoch costs.
        """
        if found.epochs is None or found.epoch_seconds is None or found.memory_bytes is None:
            raise ValueError("an estimate that does not say what an epoch costs")
        training = found.epochs * found.epoch_seconds
        if job.limit_seconds is not None:
            training = min(training, job.limit_seconds)
        now = clock.iso(clock.now())
        return cls(
            kind=job.kind,
            train=job.train,
            val=job.val,
            fixed_seconds=max(0.0, found.seconds - training),
            epoch_seconds=found.epoch_seconds,
            memory_bytes=found.memory_bytes,
            disk_bytes=found.disk_bytes or 0,
            largest_micro_batch=found.largest_micro_batch,
            basis=f"{found.basis} on {now[:10]}",
            at=now,
        )

    @property
    def sound(self) -> bool:
        """Whether its figures are figures, which those of a damaged file need not be."""
        whole: tuple[Any, ...] = (self.train, self.val, self.memory_bytes, self.disk_bytes)
        if self.largest_micro_batch is not None:
            whole += (self.largest_micro_batch,)
        told = isinstance(self.basis, str) and all(type(one) is int for one in whole)
        figures = (*whole, self.fixed_seconds, self.epoch_seconds)
        return told and self.train > 0 and all(0 <= one < _MOST for one in figures)

    @property
    def job(self) -> Job:
        """What was measured, as far as it decides what an epoch costs."""
        return Job(self.kind, self.train, self.val, epochs=1, stops_early=False)

    def scaled(self, job: Job) -> Self:
        """The same for another number of images."""
        factor = job.work / self.job.work
        values = {**vars(self), "epoch_seconds": factor * self.epoch_seconds}
        return self if factor == 1 else type(self)(**values)


class Measurements:
    """Everything measured so far, the newest of each kind and number of images.

    Args:
        found: oldest first.
    """

    def __init__(self, found: Iterable[Measurement] = ()) -> None:
        self._all = {(one.kind, one.train, one.val): one for one in found}

    @classmethod
    def load(cls, runs: Path) -> Self:
        """Those of a folder of runs; none where the file is missing, damaged or of another version."""
        try:
            document = files.read_json(runs / _FILE)
            if document["schema_version"] != SCHEMA_VERSION:
                return cls()
            read = [
                Measurement(**{**one, "kind": tuple(one["kind"].items())}) for one in document["measured"]
            ]
            return cls(one for one in read if one.sound)
        except (DataError, LookupError, TypeError, AttributeError):
            return cls()

    @property
    def kinds(self) -> set[tuple[tuple[str, Any], ...]]:
        """The workloads, with their devices, of which something is known."""
        return {kind for kind, _, _ in self._all}

    def of(self, job: Job) -> Measurement | None:
        """What is known of trainings like this one, scaled to its images; of several the nearest in size."""
        like = [one for one in self._all.values() if job.is_like(one.job)]
        if not like:
            return None
        return min(like, key=lambda one: abs(math.log(one.job.work / job.work))).scaled(job)

    def keep(self, runs: Path, one: Measurement) -> None:
        """Add one, here and to the file, whatever others have written there meanwhile.

        Raises:
            StorageError: the disk is full, or the folder cannot be written.
        """
        key = (one.kind, one.train, one.val)
        self._all = {**type(self).load(runs)._all, **self._all, key: one}
        measured = [asdict(one) | {"kind": dict(one.kind)} for one in self._all.values()]
        files.write_json(runs / _FILE, {"schema_version": SCHEMA_VERSION, "measured": measured})
