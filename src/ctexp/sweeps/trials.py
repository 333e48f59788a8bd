"""The words that boards, agents and readers share about trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ctexp.sweeps.space import Values

BEAT_SECONDS = 5.0
"""Between two signs of life of an agent."""

TrialState = Literal["waiting", "running", "finished", "pruned", "failed", "reused"]
"""What became of a trial; `reused` has the value of an identical one, and was not trained."""


@dataclass(frozen=True)
class Taken:
    """A trial that an agent has to itself.

    Attributes:
        key: names it for the board; with `attempt`, this attempt at it.
        number: of the trial, counted from 0; an attempt that goes on with it has the same.
        attempt: counted from 1.
        runs: those that earlier attempts began, by the label of the member.
        seconds: that earlier attempts took, as far as they told.
    """

    key: int
    number: int
    attempt: int
    values: Values
    runs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Wait:
    """Nothing to take now, but there will or may be: others are at work on what is left."""

    running: int


@dataclass(frozen=True)
class Over:
    """Nothing is left.

    Attributes:
        why: `the grid is done`, `run_cap`, `budget`, `the space is exhausted`: one line.
    """

    why: str


@dataclass(frozen=True)
class Told:
    """What came of a trial.

    Attributes:
        value: of the objective, as it is minimised or maximised; None where there is none.
        mean: of the metric over the trial's members; None where there is none.
        error: its standard error over them; None for a single one.
        problem: why it failed; empty where it did not.
        seconds: of all its runs and attempts together.
        caution: what its tracker did not take, one line; empty where it did.
    """

    state: Literal["finished", "pruned", "failed"]
    value: float | None
    mean: float | None = None
    error: float | None = None
    problem: str = ""
    seconds: float = 0.0
    caution: str = ""


@dataclass(frozen=True)
class Row:
    """A trial as the board keeps it, for tables and pages; one row a trial, whatever attempts it took.

    Attributes:
        reused: the number of the trial whose value it has.
        seconds: it took, or those who gave it back; None where that is not known yet.
        curve: intermediate values of the metric, (epoch, value), as they were told.
        began: UTC as `clock.iso` writes it.
        seen: the last sign of life of its agent, UTC; None where the board keeps none.
    """

    number: int
    state: TrialState
    values: Values
    attempts: int
    value: float | None = None
    mean: float | None = None
    error: float | None = None
    runs: Mapping[str, str] = field(default_factory=dict)
    agent: str = ""
    problem: str = ""
    reused: int | None = None
    curve: tuple[tuple[int, float], ...] = ()
    seconds: float | None = None
    began: str | None = None
    ended: str | None = None
    seen: str | None = None


class Board(Protocol):
    """The trials of one sweep, as its agents share them; every call is safe from many processes at once."""

    def take(self, agent: str) -> Taken | Wait | Over:
        """Claim the next trial: one whose agent died, one that waits, or a new one."""
        ...

    def beat(self, taken: Taken) -> bool:
        """Say that the trial's agent lives, every few seconds; False where another one has it by now."""
        ...

    def began(self, taken: Taken, member: str, run: str) -> None:
        """Note the run of a member, so that whoever goes on with the trial finds it."""
        ...

    def report(self, taken: Taken, epoch: int, value: float) -> bool:
        """Note an intermediate value of the metric; whether the trial should be pruned."""
        ...

    def finish(self, taken: Taken, told: Told) -> bool:
        """Note the end; False where another agent has taken the trial meanwhile, and nothing is noted."""
        ...

    def give_back(self, taken: Taken, why: str, *, retry: bool = True, seconds: float = 0.0) -> None:
        """Let another agent go on with it, however often; or with `retry=False` count it as failed.

        Args:
            taken: the trial.
            why: one line.
            retry: whether to let another agent go on with it.
            seconds: that it has taken so far, earlier attempts included.
        """
        ...

    def rows(self) -> list[Row]:
        """Every trial, by number."""
        ...
