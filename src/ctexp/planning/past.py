"""What earlier runs cost, read from their directories: the ground that estimates stand on."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from pydantic import ValidationError

from ctexp.config.workload import workload
from ctexp.core.errors import DataError
from ctexp.record import history, pruned
from ctexp.record.find import run_paths
from ctexp.record.manifest import Estimate
from ctexp.record.run_dir import RunDir

_NEWEST = 300
"""Runs that are looked at: a third of a second, and machine and code are not what they were before."""

_MOST = 1e15
"""Images, seconds or bytes: no training takes so much."""

_MIB = 2**20
_FORWARD_SHARE = 1 / 3
"""What an image costs that is only looked at: the backward pass takes about twice the forward one's work."""


@dataclass(frozen=True)
class Job:
    """What is to be estimated.

    Attributes:
        kind: the workload and the device, hashable; see `config.workload`.
        train: images that an epoch learns from; val: those it looks at besides.
        epochs: at most.
        stops_early: whether it may be fewer.
        limit_seconds: of training; None for no limit.
    """

    kind: tuple[tuple[str, Any], ...]
    train: int
    val: int
    epochs: int
    stops_early: bool
    limit_seconds: float | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any], device: str, train: int, val: int) -> Self:
        """The job of a resolved configuration, in plain values, on so many images."""
        trainer = document["trainer"]
        minutes = trainer["max_minutes"]
        return cls(
            kind=_kind(workload(document), device),
            train=train,
            val=val,
            epochs=trainer["max_epochs"],
            stops_early=trainer["early_stopping"] is not None,
            limit_seconds=None if minutes is None else 60 * minutes,
        )

    @property
    def work(self) -> float:
        """What an epoch has to do, in images learned from."""
        return self.train + _FORWARD_SHARE * self.val

    def is_like(self, other: Self) -> bool:
        """Whether it is the same workload on the same device, with half to twice as many images to learn."""
        return self.kind == other.kind and self.train <= 2 * other.train <= 4 * self.train


@dataclass(frozen=True)
class PastRun:
    """What a finished run was, and what it cost.

    Attributes:
        job: what it had to do.
        epochs: how many it took.
        seconds: from its record's beginning to its end.
        epoch_seconds: the median epoch, validation included.
        memory_bytes: the peak over its epochs: of the GPU, or of the process where there is none.
        disk_bytes: of its directory; None where checkpoints are gone.
        estimate: what had been expected.
    """

    job: Job
    epochs: int
    seconds: float
    epoch_seconds: float
    memory_bytes: int
    disk_bytes: int | None
    estimate: Estimate | None

    @property
    def sound(self) -> bool:
        """Whether its figures are figures, which those of a damaged record need not be.

        Raises:
            TypeError: they are not even numbers, or its workload cannot be told from others.
        """
        hash(self.job.kind)
        had, took = (self.job.train, self.job.epochs, self.epochs), (self.seconds, self.epoch_seconds)
        return all(1 <= one < _MOST for one in had) and all(
            0 <= one < _MOST for one in (*took, self.memory_bytes, self.job.val)
        )

    @property
    def rest_seconds(self) -> float:
        """What its epochs do not account for: beginning, checkpoints, the final measurement, figures."""
        return max(0.0, self.seconds - self.epochs * self.epoch_seconds)


class Past:
    """The finished runs of a project, to be asked for those like a job; made once, asked a thousand times.

    Args:
        runs: newest first.
    """

    def __init__(self, runs: tuple[PastRun, ...]) -> None:
        self.runs = runs
        self._by_kind: dict[tuple[tuple[str, Any], ...], list[PastRun]] = defaultdict(list)
        for run in runs:
            self._by_kind[run.job.kind].append(run)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the newest runs of a folder; one that is not finished, or damaged, says nothing here.

        Raises:
            DataError: the folder itself cannot be read.
        """
        found = (_read(RunDir(path)) for path in reversed(run_paths(folder)[-_NEWEST:]))
        return cls(tuple(run for run in found if run))

    def like(self, job: Job) -> list[PastRun]:
        """Runs that the job is like."""
        return [run for run in self._by_kind.get(job.kind, ()) if job.is_like(run.job)]


def _kind(choices: Mapping[str, Any], device: str) -> tuple[tuple[str, Any], ...]:
    return (("device", device), *sorted(choices.items()))


def _read(run: RunDir) -> PastRun | None:
    """What a run tells; None where it is not finished in one go, older than this record, or damaged."""
    try:
        # As plain JSON: the documents' own checks would take ten times as long, over hundreds of runs.
        result = json.loads(run.result.read_bytes())
        if result["state"] != "finished" or result["attempt"] != 1:
            return None
        manifest = json.loads(run.manifest.read_bytes())
        rows = history.read(run.history)
        choices, dataset = manifest["workload"], manifest["dataset"]["rows"]
        job = Job(
            kind=_kind(choices, manifest["device"]),
            train=sum(dataset["train"].values()),
            val=sum(dataset["val"].values()),
            epochs=manifest["hyperparameters"]["trainer.max_epochs"],
            stops_early=choices["trainer.early_stopping"],
        )
        found = PastRun(
            job=job,
            epochs=result["epochs"],
            seconds=result["duration_seconds"],
            epoch_seconds=median(row["seconds"] or 0.0 for row in rows),
            memory_bytes=round(_MIB * max(row["gpu_memory_mb"] or row["rss_mb"] or 0.0 for row in rows)),
            disk_bytes=_size(run),
            estimate=Estimate.model_validate(manifest["estimate"]) if manifest["estimate"] else None,
        )
        return found if found.sound else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ValidationError, DataError):
        return None


def _size(run: RunDir) -> int | None:
    """Bytes of all that a run has written, what was pruned too; None where checkpoints are gone otherwise."""
    there = any(run.checkpoints.glob("last*.ckpt"))
    freed = 0 if there else pruned.freed(run)
    return _bytes(run.path) + freed if there or freed else None


def _bytes(folder: str | Path) -> int:
    with os.scandir(folder) as entries:
        return sum(
            _bytes(entry.path)
            if entry.is_dir(follow_symlinks=False)
            else entry.stat(follow_symlinks=False).st_size
            for entry in entries
        )
