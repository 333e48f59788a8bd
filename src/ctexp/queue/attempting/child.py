"""A program in a session of its own, watched until nothing of it is left.

One thread, and signals that are blocked and fetched one at a time: nothing can interrupt what is being
written down, and a fork copies no lock that another thread holds.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from ctexp.core.children import has_ended
from ctexp.core.parent_death import tied_to_this
from ctexp.queue.attempting.output import Output

POLL_SECONDS = 0.2

_SECOND_SIGNAL_AFTER = 1.0  # a terminal's Ctrl-C comes from it and from the script, at once
_FAREWELL_SECONDS = 2.0  # for processes whose program has ended, before they are asked to end
_DYING_SECONDS = 60.0  # a process that a driver holds may take long to die; some never do


class Signals:
    """SIGTERM and SIGINT, kept until they are asked for; SIGHUP is of no interest.

    Attributes:
        stopped_by: the first of them; None while there was none.
        insisted: whether another came, more than a second later.
    """

    def __init__(self) -> None:
        self.stopped_by: int | None = None
        self.insisted = False
        self._stopped_at = 0.0
        self._fetched = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
        self._mask: set[int] = set()

    def __enter__(self) -> Self:
        # A shell has its background processes ignore SIGINT, and what is ignored does not wait.
        for signum in self._fetched:
            signal.signal(signum, _never)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._mask = {int(signum) for signum in signal.pthread_sigmask(signal.SIG_BLOCK, self._fetched)}
        return self

    def __exit__(self, *_: object) -> None:
        self.unblock()

    def wait(self, seconds: float) -> None:
        """Wait for so long, or until a signal comes; that of a child that ended is one."""
        found = signal.sigtimedwait(self._fetched, seconds)
        # Stopped and continued, or asleep with the machine, Python makes up a signal with any number.
        if found is None or found.si_signo not in (signal.SIGINT, signal.SIGTERM):
            return
        now = time.monotonic()
        if self.stopped_by is None:
            self.stopped_by, self._stopped_at = found.si_signo, now
        elif now - self._stopped_at > _SECOND_SIGNAL_AFTER:
            self.insisted = True

    def unblock(self) -> None:
        """Signals are again as they were before, in this process or in one forked from it."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.stopped_by).name}" if self.stopped_by else "not stopped"


def _never(signum: int, frame: FrameType | None) -> None:
    """A handler for signals that are fetched instead: one that waits ends a program that has none."""
    del signum, frame


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Attributes:
        code: its exit code, or minus the signal that ended it.
        stop: why it was asked to stop, as `tend` had put it, or `signal`; None where it was not.
        why: the same for people.
    """

    code: int
    seconds: float
    stop: str | None = None
    why: str = ""


Tend = Callable[[], tuple[str, str] | None]
"""Asked several times a second whether the program has to stop: why, in a word and for people."""


def run(
    argv: Sequence[str],
    *,
    root: Path,
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    output: Output,
    signals: Signals,
    grace: float,
    tend: Tend,
) -> Outcome:
    """Carry out a program and watch it; afterwards no process of its session's group is left.

    Asked to stop, by a signal or by `tend`, it gets SIGTERM, and `grace` seconds later its group SIGKILL; a
    second signal, more than a second after the first, does that at once.

    Args:
        argv: the program.
        root: the folder it begins in.
        environment: whole.
        descriptors: that it inherits.
        output: what it writes to.
        signals: blocked.
        grace: seconds.
        tend: see `Tend`.
    """
    began = time.monotonic()
    try:
        child = subprocess.Popen(
            argv,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output.descriptor,
            stderr=output.descriptor,
            start_new_session=True,
            pass_fds=list(descriptors),
            preexec_fn=_before_exec(signals),
        )
    except OSError as error:
        output.say(f"{argv[0]}: cannot be started ({error.strerror})")
        return Outcome(127, time.monotonic() - began)
    stop: str | None = None
    why = ""
    asked_at = killed_at = float("inf")
    while not has_ended(child.pid):
        signals.wait(POLL_SECONDS)
        output.show()
        now = time.monotonic()
        if stop is None and (reason := ("signal", str(signals)) if signals.stopped_by else tend()):
            stop, why = reason
            asked_at = now
            output.say(f"asked to stop: {why}")
            os.kill(child.pid, signal.SIGTERM)  # it is there until it is waited for
        if now < killed_at and (signals.insisted or now - asked_at > grace):
            output.say("killed: " + ("asked again" if signals.insisted else f"not ended in {grace:.0f} s"))
            _kill(child.pid, signal.SIGKILL)
            killed_at = now
        if now - killed_at > _DYING_SECONDS:
            output.say(f"process {child.pid} does not die")
            return Outcome(-signal.SIGKILL, now - began, stop, f"{why}; process {child.pid} does not die")
    seconds = time.monotonic() - began
    # Its number is not given away while it is not waited for: who is of its group now is of it.
    # Asked to stop, they have one grace together: more would go beyond the window's end.
    left = max(0.0, asked_at + grace - time.monotonic()) if stop else grace
    _clear(child.pid, 0.0 if stop else _FAREWELL_SECONDS, left, signals, output)
    output.show_rest()
    return Outcome(child.wait(), seconds, stop, why)


def _before_exec(signals: Signals) -> Callable[[], None]:
    """What a child does between fork and exec; all that it needs is loaded before the fork."""
    tie = tied_to_this()

    def prepare() -> None:
        tie()
        signals.unblock()

    return prepare


def _clear(group: int, farewell: float, grace: float, signals: Signals, output: Output) -> None:
    """See to it that no process of the group is left: some end by themselves, the others are ended."""
    for signum, seconds in (
        (0, farewell),
        (signal.SIGTERM, grace),
        (signal.SIGKILL, _FAREWELL_SECONDS),
    ):
        if signum and not signals.insisted:
            output.say(f"processes it has left behind get {signal.Signals(signum).name}")
        _kill(group, signum)
        until = time.monotonic() + seconds
        while _members(group):
            if time.monotonic() > until or (signals.insisted and signum != signal.SIGKILL):
                break
            signals.wait(0.05)
        else:
            return


def _kill(group: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)


def _members(group: int) -> list[int]:
    """The living processes of a group but its leader."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != group:
            try:
                _, _, rest = (entry / "stat").read_text().rpartition(")")
            except OSError:  # it has just ended
                continue
            state, _, its_group = rest.split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(entry.name))
    return found
