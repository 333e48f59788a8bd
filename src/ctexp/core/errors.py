"""Every failure a user can meet, as one tree whose leaves are the documented exit codes.

    CtexpError                1    a bug, or anything without a kind of its own
    ├── ProcessLost           1    one of the processes of a training was killed
    ├── UsageError            2    a bad command, configuration or plan
    ├── DataError             3    bad or missing data, records or checkpoints
    ├── PreflightError        4    refused before any work: GPU, weights, disk, git
    ├── StorageError          5    disk full or unwritable in mid-run
    ├── MemoryExhausted      10    out of memory
    ├── Diverged             11    loss, gradients or metrics are not finite
    ├── CriterionNotMet      12    a gate or criterion failed
    │   └── Pruned           12    a training fell behind the others of its sweep
    ├── Busy                 75    somebody else holds what is needed; try later
    ├── TimeBudgetUsed      124    the time allowed is over
    └── Stopped         130/143    SIGINT or SIGTERM

An error carries one or more problems, each a line of its own (what is wrong, and where), and one hint (what
to do next). All problems of one input are reported at once.
"""

import signal
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")


class CtexpError(Exception):
    """A failure a user can act on.

    Args:
        problems: one line each, saying what is wrong and where.
        hint: the next action, one sentence; empty when the problems say it.
    """

    exit_code = 1

    def __init__(self, problems: str | Sequence[str], hint: str = "") -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        self.hint = hint
        super().__init__("; ".join(self.problems))

    @property
    def kind(self) -> str:
        """The name scripts match on, for example ``UsageError``."""
        return type(self).__name__

    def lines(self) -> list[str]:
        """What stands on stderr: one line a problem, the hint at the end of the last."""
        lines = [f"{self.kind}: {_plain(problem)}" for problem in self.problems]
        if self.hint:
            lines[-1] += f" -> {_plain(self.hint)}"
        return lines


def noting(
    problems: list[str],
    read: Callable[_Arguments, _Found],
    *args: _Arguments.args,
    **kwargs: _Arguments.kwargs,
) -> _Found | None:
    """What a reader gives; None where it refuses, and why is added to the problems."""
    try:
        return read(*args, **kwargs)
    except CtexpError as error:
        problems += error.problems
        return None


def _plain(text: str) -> str:
    """One line, of which no character moves a terminal's cursor or turns its writing around."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


class ProcessLost(CtexpError):
    """One of several processes that work together is gone, and the others cannot go on without it."""


class UsageError(CtexpError):
    """A bad command, configuration or plan."""

    exit_code = 2


class DataError(CtexpError):
    """Bad or missing data: images, catalogs, records, checkpoints."""

    exit_code = 3


class PreflightError(CtexpError):
    """Refused before any work began: GPU, weights, disk, git."""

    exit_code = 4


class StorageError(CtexpError):
    """The disk is full or a folder cannot be written, found out in the middle of work."""

    exit_code = 5


class MemoryExhausted(CtexpError):
    """The GPU or the machine ran out of memory."""

    exit_code = 10


class Diverged(CtexpError):
    """Loss, gradients or metrics stopped being finite."""

    exit_code = 11


class CriterionNotMet(CtexpError):
    """A gate or a success criterion failed."""

    exit_code = 12


class Pruned(CriterionNotMet):
    """A training was ended by whoever compares it with others: it had fallen behind them."""


class Busy(CtexpError):
    """Somebody else holds the lock; trying later is the right thing to do."""

    exit_code = 75


class TimeBudgetUsed(CtexpError):
    """The time allowed for this work is over."""

    exit_code = 124


class Stopped(CtexpError):
    """SIGINT or SIGTERM asked for an end.

    Args:
        signum: the signal's number; the exit code is 128 + it.
        problem: what was stopped, one line.
        hint: how to go on.
    """

    def __init__(self, signum: int, problem: str = "", hint: str = "") -> None:
        super().__init__(problem or f"{signal.Signals(signum).name} was received", hint)
        self.signum = signum
        self.exit_code = 128 + signum
