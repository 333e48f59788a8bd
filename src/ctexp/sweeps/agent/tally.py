"""What an agent makes of the trials that have ended: told to the board, counted, judged."""

import os
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ctexp.core import clock, names
from ctexp.core.errors import Busy, CriterionNotMet, StorageError
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.trial import Bench, Unfinished
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.trials import Board, Taken, Told

_ALIKE = 3
"""So many failures of one kind, before anything finished, are no chance."""

_KILLS = 3
"""A trial whose training is killed so often is not tried again: memory does not last for it."""

_OF_THE_PLACE = (StorageError, Busy)
"""Refusals that have nothing to do with what is trained: a full disk, a GPU in use."""

AGENT = "CTEXP_AGENT"
"""Environment variable by which whoever begins an agent gives it its name, which is that of its log too."""


def agent_name() -> str:
    """What this agent is known by, and the machine it works on: `ray-2-k3f9x1@node7`."""
    given = os.environ.get(AGENT) or f"{os.getpid()}-{names.short_id()}"
    return f"{given}@{socket.gethostname()}"


@dataclass
class AgentSummary:
    """What an agent has done.

    Attributes:
        agent: its name.
        trials: how many it has brought to an end, by state.
        seconds: of all of them.
        why: it ended, one line.
    """

    agent: str
    trials: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    why: str = ""

    @property
    def count(self) -> int:
        """Trials in all."""
        return sum(self.trials.values())


class Tally:
    """Counts trials, and knows when there were enough.

    Args:
        board: of the sweep.
        bench: what all its trials have in common.
        stops: when to stop.
        count: end after so many trials; None for as many as there are.
        tell: given a line before and after each trial.

    Attributes:
        summary: of what this agent has done so far.
    """

    def __init__(
        self,
        board: Board,
        bench: Bench,
        stops: Stops,
        *,
        count: int | None,
        tell: Callable[[str], None],
    ) -> None:
        self._board = board
        self._bench = bench
        self._stops = stops
        self._count = count
        self._tell = tell
        self.summary = AgentSummary(agent_name())
        self._longest = 0.0
        self._failed: list[str] = []
        self._cautioned = False
        self._killed: Counter[int] = Counter()
        self._refused = True  # until a trial has shown that there is nothing in the way

    def enough(self, under_way: int = 0) -> str:
        """Why no further trial is begun; empty where one is.

        Args:
            under_way: trials that have been begun and have not ended.
        """
        if why := self._stops.why:
            return why
        if self._count is not None and self.summary.count + under_way >= self._count:
            return f"--count {self._count}"
        if self._longest > (left := self._stops.seconds_left()):
            return f"{clock.duration(left)} left, and a trial took {clock.duration(self._longest)}"
        return ""

    def begun(self, taken: Taken) -> None:
        """A trial begins."""
        again = f", attempt {taken.attempt}" if taken.attempt > 1 else ""
        self._tell(f"t{taken.number}{again}: {' '.join(words_of(taken.values)) or 'as configured'}")

    def settle(self, taken: Taken, came: Told | Unfinished) -> None:
        """Tell the board what came of a trial, and count it.

        Raises:
            CriterionNotMet: the first trials all failed alike.
            CtexpError: what refuses to train here; the trial is given back.
        """
        told = self._broken_off(taken, came) if isinstance(came, Unfinished) else came
        if told is None:
            return
        if self._board.finish(taken, told):
            self._counted(taken, told)
        else:
            self._tell(f"t{taken.number}: another agent has it by now; not counted")

    def _broken_off(self, taken: Taken, came: Unfinished) -> Told | None:
        """Give a trial back; one that is refused where others are not has failed, or killed again and again.

        Raises:
            CtexpError: nothing can be trained here.
        """
        refusal = came.refusal
        if refusal is not None and not self._refused and not isinstance(refusal, _OF_THE_PLACE):
            self._refused = True
            return Told("failed", None, problem=f"refused: {came.why}", seconds=came.seconds)
        self._killed[taken.number] += came.killed
        if self._killed[taken.number] >= _KILLS:
            return Told("failed", None, problem=f"{came.why}, {_KILLS} times", seconds=came.seconds)
        self._board.give_back(taken, came.why, seconds=came.seconds)
        self._tell(f"t{taken.number}: given back, {came.why}")
        if refusal is not None:
            raise refusal
        return None

    def _counted(self, taken: Taken, told: Told) -> None:
        summary = self.summary
        summary.trials[told.state] = summary.trials.get(told.state, 0) + 1
        summary.seconds += told.seconds
        self._longest = max(self._longest, told.seconds)
        self._tell(f"t{taken.number}: {_line(self._bench.spec.metric, told)}")
        if told.caution and not self._cautioned:  # as a rule it is the same for all of them
            self._cautioned = True
            self._tell(f"warning: t{taken.number}: {told.caution}")
        if told.state != "failed":
            self._refused = False
            self._failed = []
            return
        self._failed.append(told.problem.partition(":")[0])
        if len(self._failed) == _ALIKE == summary.count and len(set(self._failed)) == 1:
            self._stop_unless_others_finish(told)

    def _stop_unless_others_finish(self, told: Told) -> None:
        if any(row.state in {"finished", "pruned"} for row in self._board.rows()):
            return
        raise CriterionNotMet(
            f"the first {_ALIKE} trials failed alike: {told.problem}",
            f"look into {self._bench.place.logs}; what they have in common is wrong",
        )


def _line(metric: str, told: Told) -> str:
    took = clock.duration(told.seconds)
    if told.state != "finished":
        return f"{told.state} after {took}" + (f", {told.problem}" if told.problem else "")
    error = "" if told.error is None else f" (standard error {told.error:.4f})"
    return f"{metric} {told.mean:.4f}{error} in {took}"
