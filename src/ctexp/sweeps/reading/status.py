"""How far a sweep has come: its trials by state, who works on it, what is left and how long that may take."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from ctexp.core.clock import now
from ctexp.sweeps.board.heartbeats import GRACE
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.trials import Row, TrialState

_ENDED: tuple[TrialState, ...] = ("finished", "pruned", "failed", "reused")
_FEWEST = 3  # trials that have to have ended before the rest is foretold


@dataclass(frozen=True)
class Agent:
    """Somebody at work.

    Attributes:
        host: the machine it works on; empty where it did not say.
        trial: what it is working on.
        silent: seconds since its last sign of life; None where the board keeps none.
    """

    name: str
    host: str
    trial: int
    silent: float | None

    @property
    def lost(self) -> bool:
        """Whether it has been silent for so long that another agent will go on with its trial."""
        return self.silent is not None and self.silent > GRACE


@dataclass(frozen=True)
class Status:
    """How far it has come.

    Attributes:
        counts: trials by state.
        total: how many there will be; None where nothing but the person or the budget ends it.
        left: how many of them have not ended; None likewise.
        spent: seconds of all trials together.
        budget: seconds that may be spent; None without one.
        usual: seconds of a trial that finished or was pruned, the median; None where too few were.
        remaining: seconds until it is over at the pace of the agents at work; None where it is not known.
        over: why nothing is left; empty while something is.
    """

    counts: Mapping[TrialState, int]
    agents: tuple[Agent, ...]
    total: int | None
    left: int | None
    spent: float
    budget: float | None
    usual: float | None
    remaining: float | None
    over: str


def status(opened: Opened, moment: datetime | None = None) -> Status:
    """Count and foretell.

    Args:
        opened: the sweep.
        moment: now, for tests.
    """
    moment = moment or now()
    counts = Counter(row.state for row in opened.rows)
    agents = tuple(_agent(row, moment) for row in opened.rows if row.state == "running")
    total = _total(opened)
    ended = sum(counts[state] for state in _ENDED)
    left = None if total is None else max(0, total - ended)
    spent = sum(row.seconds or 0.0 for row in opened.rows if row.state != "reused")
    budget = opened.sweep.budget_seconds
    times = [row.seconds for row in opened.rows if row.state in {"finished", "pruned"} and row.seconds]
    usual = median(times) if len(times) >= _FEWEST else None
    over = _over(opened, left)
    working = sum(not agent.lost for agent in agents)
    return Status(
        counts=counts,
        agents=agents,
        total=total,
        left=left,
        spent=spent,
        budget=budget,
        usual=usual,
        remaining=None if over else _remaining(left, spent, budget, usual, working),
        over=over,
    )


def _total(opened: Opened) -> int | None:
    """The cells of a grid, all of which wait from the beginning, or the cap."""
    if opened.spec.method == "grid":
        return min(len(opened.rows), opened.spec.run_cap or len(opened.rows))
    return opened.spec.run_cap


def _over(opened: Opened, left: int | None) -> str:
    """What the agents noted, or that nothing is left that they could take."""
    if opened.progress is not None and opened.progress.ended is not None:
        return opened.progress.why
    return "every trial has ended" if left == 0 else ""


def _remaining(
    left: int | None, spent: float, budget: float | None, usual: float | None, working: int
) -> float | None:
    """Whichever ends first: the trials that are left, or the budget.

    Each is taken to be a usual one: the mean holds the start of every agent, which does not come again.
    """
    if not working or usual is None:
        return None
    bounds = [] if left is None else [left * usual]
    bounds += [] if budget is None else [budget - spent]
    return max(0.0, min(bounds)) / working if bounds else None


def _agent(row: Row, moment: datetime) -> Agent:
    silent = None if row.seen is None else (moment - datetime.fromisoformat(row.seen)).total_seconds()
    name, _, host = row.agent.partition("@")
    return Agent(name or "?", host, row.number, None if silent is None else max(0.0, silent))
