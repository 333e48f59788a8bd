"""The trials that Tune has on the cluster, between Tune and the board.

Tune asks for a trial as it would ask a search algorithm, and the board gives it one: whichever backend
carries a sweep out, its trials are drawn, counted, retried and kept in the same way. Tune decides where a
trial runs, and which ones fall behind.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import Tally
from ctexp.sweeps.agent.trial import Unfinished
from ctexp.sweeps.ray_tune.words import EPOCH, REFUSAL, RUNS, TOLD, UNFINISHED, VALUE, refusal
from ctexp.sweeps.trials import BEAT_SECONDS, Board, Over, Taken, Told


class Leave(BaseException):
    """Leave Tune, which stands on the stack, past its own farewell: that waits for every epoch under way.

    The actors then end with their driver, and their trainings save what they have. The cause is the error
    that led to it; without one, a stop was asked for.
    """


@contextlib.contextmanager
def _or_leave() -> Iterator[None]:
    """What fails in here is not swallowed by Tune."""
    try:
        yield
    except Exception as error:
        raise Leave from error


@dataclass
class OnCluster:
    """A trial that Tune has.

    Attributes:
        runs: of its members, as far as they have begun.
        seconds: that its actor has spent on it, as Tune counts.
        came: what came of it; None while that is open, and where Tune left it behind.
    """

    taken: Taken
    runs: dict[str, str]
    seconds: float = 0.0
    came: Told | Unfinished | None = None

    @property
    def spent(self) -> float:
        """Seconds that it has taken so far, earlier attempts included."""
        return self.taken.seconds + self.seconds


class Crew:
    """Takes trials for Tune, and tells the board what Tune tells.

    Args:
        board: of the sweep.
        tally: of this process's trials.
        stops: whether to leave.
        tell: given a line where a trial is lost.

    Attributes:
        over: why no more trials are taken; empty while they are.
    """

    def __init__(self, board: Board, tally: Tally, stops: Stops, tell: Callable[[str], None]) -> None:
        self.over = ""
        self._board = board
        self._tally = tally
        self._stops = stops
        self._tell = tell
        self._under_way: dict[str, OnCluster] = {}
        self._ended: list[OnCluster] = []
        self._beaten = time.monotonic()

    def take(self, trial: str) -> Taken | None:
        """A trial, which Tune calls `trial`; None where there is none now, or none any more, see `over`."""
        self.tend()
        self.over = self.over or self._tally.enough(len(self._under_way))
        if self.over:
            return None
        with _or_leave():
            offered = self._board.take(self._tally.summary.agent)
        if isinstance(offered, Over):
            self.over = offered.why
        if not isinstance(offered, Taken):
            return None
        self._tally.begun(offered)
        self._under_way[trial] = OnCluster(offered, dict(offered.runs))
        return offered

    def hear(self, trial: str, result: Mapping[str, Any]) -> None:
        """Note what a training told."""
        one = self._under_way[trial]
        one.seconds = float(result.get("time_total_s", one.seconds))
        with _or_leave():
            for member, run in result.get(RUNS, {}).items():
                if one.runs.get(member) != run:
                    one.runs[member] = run
                    self._board.began(one.taken, member, run)
            if VALUE in result:
                self._board.report(one.taken, int(result[EPOCH]), float(result[VALUE]))
            if TOLD in result:
                one.came = Told(**result[TOLD])
            elif UNFINISHED in result:
                one.came = Unfinished(result[UNFINISHED], refusal(result[REFUSAL]), seconds=one.spent)

    def end(self, trial: str, *, lost: bool) -> None:
        """A trial is no longer on the cluster; the board hears it from `tend`.

        Args:
            trial: Tune's name for it.
            lost: its node or its actor failed.
        """
        one = self._under_way.pop(trial)
        if one.came is None and not lost:
            one.came = Told("pruned", None, seconds=one.spent)
        self._ended.append(one)

    def tend(self) -> None:
        """Tell the board of trials that have ended, and that the others live.

        Raises:
            Leave: a stop was asked for.
        """
        with _or_leave():
            self._settle()
            if time.monotonic() - self._beaten >= BEAT_SECONDS:
                self._beaten = time.monotonic()
                for one in self._under_way.values():
                    self._board.beat(one.taken)
        if self._stops.why:
            raise Leave

    @property
    def under_way(self) -> list[OnCluster]:
        """The trials that Tune has."""
        return list(self._under_way.values())

    def give_back(self, why: str) -> None:
        """Let others go on with what was under way."""
        self._settle()
        for one in self._under_way.values():
            self._board.give_back(one.taken, why, seconds=one.spent)

    def _settle(self) -> None:
        while self._ended:
            one = self._ended.pop(0)
            if one.came is not None:
                self._tally.settle(one.taken, one.came)
            else:
                # Its training may live: the board waits for that, and counts how often a trial was lost.
                self._tell(
                    f"t{one.taken.number}: its node or its actor failed; another attempt goes on with it"
                )
