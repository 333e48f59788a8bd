"""Work on a SLURM cluster whose nodes see the project's folder: each piece a job of its own."""

import os
import re
import shlex
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.core import durations, files, heartbeat
from ctexp.core.errors import PreflightError
from ctexp.core.locks import HELD
from ctexp.core.wording import many
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.settings import SlurmSettings
from ctexp.executors.slurm import accounting
from ctexp.executors.slurm.accounting import NoAnswer, asked
from ctexp.executors.slurm.options import options_of, time_of
from ctexp.executors.slurm.place import Place

_LOOK_SECONDS = 2.0
"""Between two questions about all jobs: the controller has others to answer."""

_BEAT_SECONDS = 2.0
_PATIENCE_SECONDS = 180.0
"""Without a sign of life of this process, a job ends."""

_DYING_SECONDS = 120.0
"""For a job that was killed to be gone, with all that SLURM does about it."""

_OF_THIS_MACHINE = (HELD, "CTEXP_WARM")
"""Variables that mean nothing on another."""

_USABLE = ("idle", "mix", "alloc", "comp")


@dataclass
class SlurmWork:
    """A job in line, running, or over.

    Attributes:
        job: its id.
        place: where it hears of this process.
        again: how often it was submitted anew, after SLURM had given it up.
        code: how it ended; None while it has not.
    """

    work: Work
    job: str
    place: Place
    again: int = 0
    code: int | None = None
    _beaten: float = field(default=0.0, repr=False)

    def beat(self) -> None:
        """Tell it that it is still wanted."""
        if (now := time.monotonic()) - self._beaten > _BEAT_SECONDS:
            self.place.beat()
            self._beaten = now


class Slurm:
    """Jobs of a SLURM cluster.

    A job hears of this process by way of a folder beside its log, and ends when this has died. It is requeued
    by SLURM where its node dies or has to make room, and submitted anew where a cluster does not do that.

    Args:
        settings: of the cluster.
        root: the project's folder, under the same path on every node.
        patience: seconds without a sign of life of this process after which its jobs end.
    """

    def __init__(self, settings: SlurmSettings, root: Path, patience: float = _PATIENCE_SECONDS) -> None:
        self._settings = settings
        self._root = root
        self._patience = patience
        self._line: dict[str, accounting.InLine] = {}
        self._mine: set[str] = set()
        self._looked = float("-inf")

    def resources(self) -> Resources:
        """What there is to work with, by `sinfo`.

        Raises:
            PreflightError: SLURM does not answer, or no node can be used.
        """
        settings = self._settings
        where = ["--partition", settings.partition] if settings.partition else []
        answer = asked("sinfo", "--noheader", "--Node", *where, "--format", "%N|%t|%C|%P")
        if not isinstance(answer, str):
            why = answer.last if isinstance(answer, NoAnswer) else "no answer"
            raise PreflightError(f"SLURM: {why}", "submit from a machine that sees the cluster: try sinfo")
        rows = [line.split("|") for line in answer.splitlines()]
        # Without a partition named, jobs go to the one that SLURM marks.
        nodes = {
            name: int(processors.rsplit("/", 1)[-1])
            for name, state, processors, partition in rows
            if state.startswith(_USABLE)
            and not state.endswith("*")
            and (settings.partition or partition.endswith("*"))
        }
        partition = settings.partition or next((row[3][:-1] for row in rows if row[3].endswith("*")), "?")
        if not nodes:
            raise PreflightError(f"SLURM: no node of partition {partition} can be used", "see sinfo")
        each = settings.cpus or 1
        fit = sum(processors // each for processors in nodes.values())
        slots = max(1, min(fit, settings.at_once or fit))
        said = f"SLURM, partition {partition}: {many(len(nodes), 'node')}, {slots} at a time"
        return Resources(slots, said, each)

    def submit(self, work: Work) -> SlurmWork:
        """Put a piece of work in line.

        Raises:
            PreflightError: SLURM refuses it.
            StorageError: its folder or its log cannot be written.
        """
        place = Place(work.log.with_name(f"{work.log.name}.slurm").absolute())
        place.make()
        with files.storage_errors(work.log):
            work.log.touch()
        try:
            job = self._submitted(work, place)
        except BaseException:
            place.clear()
            raise
        return SlurmWork(work, job, place)

    def poll(self, handle: SlurmWork) -> int | None:
        """Its exit code; see `Executor`."""
        if handle.code is not None:
            return handle.code
        handle.beat()
        heartbeat.beat()  # in line it is not silent, and what it is silent about there nobody knows
        self._look()
        if handle.job in self._line:
            return None
        end = accounting.end_of(handle.job)
        if end is None:  # in line after all, or SLURM does not answer: it may be well
            return None
        if end.lost and handle.again < self._settings.restarts:
            handle.again += 1
            self._forget(handle)
            handle.job = self._submitted(handle.work, handle.place)
            return None
        told = handle.place.code() if end.state == accounting.FORGOTTEN else None
        return self._ended(handle, end.code if told is None else told)

    def cancel(self, handle: SlurmWork, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds."""
        if handle.code is not None:
            return
        handle.again = self._settings.restarts
        asked("scancel", "--state=PENDING", handle.job)
        asked("scancel", "--batch", "--signal=TERM", handle.job)
        if not self._gone_within(handle, grace):
            asked("scancel", "--full", "--signal=KILL", handle.job)
            asked("scancel", handle.job)  # not begun again either, where its node has died
            if not self._gone_within(handle, _DYING_SECONDS):
                self._ended(handle, -signal.SIGKILL)

    def _submitted(self, work: Work, place: Place) -> str:
        """The id of a new job."""
        settings, job = self._settings, re.sub(r"[^\w.-]", "-", work.name)
        answer = asked(
            *("sbatch", "--parsable", "--requeue", "--open-mode=append", "--nodes=1", "--export=ALL"),
            *(
                f"--job-name={job}",
                f"--chdir={work.folder}",
                f"--time={time_of(durations.seconds(settings.time))}",
            ),
            # SLURM reads patterns out of the name of a log.
            *("--signal=B:TERM@120", f"--output={str(work.log.absolute()).replace('%', '%%')}"),
            *options_of(settings, gpu=work.gpu),
            given=self._script(work, place),
            environment={
                name: value
                for name, value in {**os.environ, **work.environment, "CTEXP_ROOT": str(self._root)}.items()
                if name not in _OF_THIS_MACHINE
            },
        )
        if not isinstance(answer, str):
            why = answer.why if isinstance(answer, NoAnswer) else "no answer"
            raise PreflightError(f"{work.name}: {why}", "see conf/executor, and `sinfo` for what there is")
        job = answer.strip().partition(";")[0]  # JOB;CLUSTER where there are several
        self._mine.add(job)
        self._looked = float("-inf")
        return job

    def _script(self, work: Work, place: Place) -> str:
        piece = [sys.executable, "-P", "-m", "ctexp.executors.slurm.piece", str(place.folder)]
        said = [str(self._settings.restarts), str(self._patience), "train" if work.trains else "any"]
        return f"#!/bin/sh\nexec {shlex.join([*piece, *said, '--', *work.words])}\n"

    def _look(self) -> None:
        """Ask for all jobs at once, now and then."""
        if self._mine and time.monotonic() - self._looked > _LOOK_SECONDS:
            if (line := accounting.in_line(sorted(self._mine))) is not None:
                self._line = line
            self._looked = time.monotonic()

    def _gone_within(self, handle: SlurmWork, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.poll(handle) is None:
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_SECONDS / 10)
        return True

    def _ended(self, handle: SlurmWork, code: int) -> int:
        handle.code = code
        handle.place.clear()
        self._forget(handle)
        return code

    def _forget(self, handle: SlurmWork) -> None:
        self._mine.discard(handle.job)
        self._line.pop(handle.job, None)
