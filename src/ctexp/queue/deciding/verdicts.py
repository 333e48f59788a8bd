"""What can be said of a job when it is asked what comes next; see `choose` for the rules."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ctexp.planning.plan.jobs import Job


@dataclass(frozen=True)
class Now:
    """The moment of the decision.

    Attributes:
        uptime: seconds, as the journal counts them.
        disk_free: bytes where the runs are.
    """

    uptime: float
    disk_free: int


@dataclass(frozen=True)
class Over:
    """Nothing is to be done about it: it is done, or lost for good."""

    done: bool


@dataclass(frozen=True)
class Left:
    """For another start; `why` is the kind of skip for jobs that wait for it."""

    why: Literal["window", "need"]


@dataclass(frozen=True)
class Running:
    """An attempt is under way."""


@dataclass(frozen=True)
class Held:
    """Waits for these jobs: to be over, or to make room."""

    by: tuple[str, ...]


@dataclass(frozen=True)
class Skip:
    """Write down that it is skipped."""

    job: str
    why: Literal["need", "gate", "base", "window", "cancelled"]
    reason: str


@dataclass(frozen=True)
class Decide:
    """A gate or a base can be decided, and has to be before the experiment's jobs are."""

    what: Literal["gate", "base"]
    experiment: str


@dataclass(frozen=True)
class Begin:
    """Begin it, or go on with it.

    Attributes:
        fallback: with the overrides for this kind of failure; None as planned.
        device: it is given; None where jobs come one after the other.
    """

    job: str
    fallback: str | None = None
    device: str | None = None

    @property
    def key(self) -> str:
        """What the script knows its command by."""
        return self.job if self.fallback is None else f"{self.job}:{self.fallback}"


@dataclass(frozen=True)
class Stop:
    """Begin nothing more in this start."""

    exit_code: int
    reason: str


Verdict = Over | Left | Running | Held | Skip | Decide | Begin | Stop


@dataclass(frozen=True)
class Packed:
    """A use of what is left of the window.

    Attributes:
        jobs: all of the queue, in the order they are looked at.
        chosen: ids of those that the window is meant for, those to be begun first at the front.
        left_out: ids of the others that may still be begun, in the order of running.
        said: the event `pack`: `order` and `left_out` with what they need, what is left, why.
    """

    jobs: tuple[Job, ...]
    chosen: tuple[str, ...]
    left_out: tuple[str, ...]
    said: dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What to write down first, and what to do then.

    Attributes:
        then: None where nothing is left that may run now.
        packed: how it came about, where not all fits into the window; no part of what is decided.
    """

    skips: tuple[Skip, ...]
    then: Begin | Decide | Stop | None
    packed: Packed | None = field(default=None, compare=False)
