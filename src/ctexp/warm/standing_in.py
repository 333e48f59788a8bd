"""A process that stands in for the training it was started for, while a child of a warm parent does it."""

import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from ctexp.core import locks, referee
from ctexp.warm.client import LOST, Lost, Refused, WarmJob, start

_FORWARDED = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP),
)


def run(path: str | Path, argv: Sequence[str]) -> int:
    """Be the training, for whoever has started this process: hand everything over, forward signals, wait.

    Returns:
        Its exit code, or minus the signal that ended it.

    Raises:
        Refused: it has to run in this process.
    """
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:
            raise Refused("a standard stream is closed") from None
    with _forwarding() as signals:
        try:
            job = start(path, argv, environment=os.environ, descriptors=handed_over(os.environ))
        except Lost:
            return LOST
        signals.to(job)
        return job.wait()


def end_like(code: int) -> None:
    """End this process by the signal that has ended the training; only come back from an exit code."""
    if code >= 0:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # there is nothing to be seen in this one
    if -code not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


def handed_over(environment: Mapping[str, str]) -> list[int]:
    """The descriptors that an environment speaks of: locks that are held, and the line to a referee."""
    words = environment.get(locks.HELD, "").split(",") + environment.get(referee.VARIABLE, "").split()[:1]
    found = set()
    for word in words:
        if word.isdecimal():
            with suppress(OSError):  # its owner is gone: it means nothing here either
                os.fstat(int(word))
                found.add(int(word))
    return sorted(found)


class _Forwarding:
    """Signals that came, and the job that they are for once there is one."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self._job: WarmJob | None = None

    def receive(self, signum: int, _frame: FrameType | None = None) -> None:
        if self._job is None:
            self.waiting.append(signum)
        elif signum == signal.SIGTSTP:  # Ctrl-Z; both go on together
            self._job.send_signal(signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            self._job.send_signal(signal.SIGCONT)
        else:
            self._job.send_signal(signum)

    def to(self, job: WarmJob) -> None:
        self._job = job
        while self.waiting:
            self.receive(self.waiting.pop(0))


@contextmanager
def _forwarding() -> Iterator[_Forwarding]:
    """Take signals for a job; afterwards they do what they did, also those that no job got."""
    signals = _Forwarding()
    before = {signum: signal.getsignal(signum) for signum in _FORWARDED}
    taken = [signum for signum, handler in before.items() if handler is not signal.SIG_IGN]
    for signum in taken:
        signal.signal(signum, signals.receive)
    try:
        yield signals
    finally:
        for signum in taken:
            signal.signal(signum, before[signum])
        for missed in signals.waiting:
            os.kill(os.getpid(), missed)
