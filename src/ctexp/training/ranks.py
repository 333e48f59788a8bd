"""The processes that help with a training on several devices: started, waited for, missed, and ended.

The process of the run leads. Each helper runs the same loop on a device of its own and writes nothing. It is
told nothing either: where the leader goes no further, for whatever reason, it ends its helpers. A helper
whose leader dies ends itself, and one that dies, or fails, breaks the leader's next step, which says why.
"""

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from ctexp.core.errors import CtexpError, ProcessLost
from ctexp.core.heartbeat import beat
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.training.kernel.device import make_repeatable
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.kernel.team import ALONE, Team, joined

_DYING_SECONDS = 10.0
"""A step that was broken off by a helper's end is over a moment before the kernel says that it has ended."""

_ASKED_FOR_AN_END = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Others:
    """The devices of a training besides its first, and how to open its batches on one of them.

    Attributes:
        devices: one for each helper; none where one device is all there is.
        batches: training and validation batches, from a device; it and all it holds can be pickled.
    """

    devices: tuple[torch.device, ...] = ()
    batches: Callable[[torch.device], tuple[TrainBatches, EvalBatches]] | None = None


NO_OTHERS = Others()


@dataclass(frozen=True)
class _Task:
    """What a helper is told, once and for all."""

    team: Team
    meeting: Path
    device: torch.device
    module: Classifier
    batches: Callable[[torch.device], tuple[TrainBatches, EvalBatches]]
    checkpoints: Path
    resume: Path | None
    threads: int


@contextmanager
def helped(
    others: Others, device: torch.device, module: Classifier, checkpoints: Path, resume: Path | None
) -> Iterator[Team]:
    """A team for one call of `fit`, whose helpers are at work by then and gone afterwards.

    Yields:
        The team as this process sees it, which leads.

    Raises:
        ProcessLost: a helper was killed.
        CtexpError: a helper met it; any other error of one is raised as a RuntimeError, with its traceback.
        OutOfMemoryError: of torch, or MemoryError: a helper ran out of memory.
    """
    if not others.devices:
        yield ALONE
        return
    assert others.batches is not None  # noqa: S101 - for the type checker
    size, threads = 1 + len(others.devices), torch.get_num_threads()
    each = max(1, threads // size) if device.type == "cpu" else threads
    with tempfile.TemporaryDirectory(prefix="ctexp-") as folder, ExitStack() as stack:
        meeting = Path(folder) / "meeting"
        helpers = [
            stack.enter_context(_started(f"process {2 + index} of {size}")) for index in range(size - 1)
        ]
        for rank, (helper, its) in enumerate(zip(helpers, others.devices, strict=True), start=1):
            team = Team(rank, size)
            helper.tell(_Task(team, meeting, its, module, others.batches, checkpoints, resume, each))
        for helper in helpers:
            helper.await_ready()
        torch.set_num_threads(each)
        stack.callback(torch.set_num_threads, threads)
        leader = Team(0, size)
        try:
            with joined(leader, meeting, device):
                yield leader
        except (CtexpError, MemoryError, torch.OutOfMemoryError):
            raise
        except RuntimeError as error:
            if (why := _why(helpers)) is None:
                raise
            raise why from error


@dataclass(frozen=True)
class _Helper:
    """A helper as its leader sees it.

    Attributes:
        name: for people, `process 2 of 4`.
        line: on which it is told its task, and says that it is ready, or why it fails.
    """

    name: str
    process: SpawnProcess
    line: Connection

    def tell(self, task: _Task) -> None:
        try:
            # Not `send`: with torch loaded that shares weights between processes, instead of copying them.
            self.line.send_bytes(pickle.dumps(task))
        except BrokenPipeError:
            raise self.lost() from None

    def await_ready(self) -> None:
        """Wait until it is, which takes as long as loading torch does."""
        while not self.line.poll(1.0):
            beat()
        if (why := self.said()) is not None:
            raise why

    def said(self) -> BaseException | None:
        """What it says next: None where it is ready, else why it has ended."""
        try:
            error: BaseException | None = self.line.recv()
        except (EOFError, OSError):
            return self.lost()
        return error

    def lost(self) -> ProcessLost:
        """The error for one that has ended without a word."""
        self.process.join(_DYING_SECONDS)
        code = self.process.exitcode
        how = f"was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else "ended"
        return ProcessLost(f"{self.name} of this training {how}", "`dmesg` tells whether the memory was full")


@contextmanager
def _started(name: str) -> Iterator[_Helper]:
    """A process that helps; afterwards it is gone."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_help, args=(theirs,), name=name)
    # What asks for an end is sent to the whole group, and is for the leader; who inherits a mask keeps it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED_FOR_AN_END)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    try:
        yield _Helper(name, process, ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _why(helpers: Sequence[_Helper]) -> BaseException | None:
    """Why a step of this process broke off, as far as helpers know; None where all are still there."""
    until = time.monotonic() + _DYING_SECONDS
    while (left := until - time.monotonic()) > 0:
        wait([helper.process.sentinel for helper in helpers], timeout=left)
        for helper in helpers:
            if not helper.process.is_alive() and (why := helper.said()) is not None:
                return why
    return None


def _help(line: Connection) -> None:
    """Be a helper."""
    leader = multiprocessing.parent_process()
    assert leader is not None  # noqa: S101 - for the type checker
    threading.Thread(target=_end_with, args=(leader.sentinel,), daemon=True).start()
    # What it has to say it says on the line: the run's output and log are the leader's.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    warnings.simplefilter("ignore")
    try:
        task: _Task = line.recv()
        torch.set_num_threads(task.threads)
        make_repeatable()
        train, val = task.batches(task.device)
        line.send(None)
        with joined(task.team, task.meeting, task.device), StopRequests() as requests:
            fit(
                task.module,
                train,
                val,
                checkpoints=task.checkpoints,
                device=task.device,
                requests=requests,
                watchers=(),
                resume=task.resume,
                team=task.team,
            )
    except BaseException as error:
        sent = _sendable(error)
        sent.add_note(f"in {multiprocessing.current_process().name}:\n{traceback.format_exc()}")
        line.send(sent)
        raise SystemExit(1) from error


def _end_with(leader: int) -> None:
    """Wait for the end of the leader, and end."""
    wait([leader])
    os._exit(1)


def _sendable(error: BaseException) -> BaseException:
    """An error, or what can be sent in its place: not all exceptions survive it."""
    if isinstance(error, CtexpError) or type(error) in {MemoryError, RuntimeError, torch.OutOfMemoryError}:
        return error
    if isinstance(error, MemoryError):
        return MemoryError(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
