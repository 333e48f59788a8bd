"""What an agent does: it takes a trial, has it trained, tells what came of it, and takes the next."""

import contextlib
import time
from collections.abc import Callable

from ctexp.core.errors import CtexpError
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary, Tally
from ctexp.sweeps.agent.trial import Bench, Unfinished, run_trial
from ctexp.sweeps.trials import BEAT_SECONDS, Board, Over, Taken, Told, Wait

_WAIT_SECONDS = 0.5
"""Between two looks whether there is something to take."""


class _TakenOver(Exception):
    """This agent was taken for dead, and another one has its trial by now."""


def work(
    board: Board, bench: Bench, stops: Stops, *, count: int | None, tell: Callable[[str], None]
) -> AgentSummary:
    """Be an agent: take trials until none is left, or there is a reason to stop.

    Args:
        board: of the sweep.
        bench: what all its trials have in common.
        stops: when to stop.
        count: end after so many trials; None for as many as there are.
        tell: given a line before and after each trial.

    Raises:
        CriterionNotMet: the first trials all failed alike.
        CtexpError: what refuses to train here; the trial is given back.
    """
    tally = Tally(board, bench, stops, count=count, tell=tell)
    waiting = False
    while not (why := tally.enough()):
        match board.take(tally.summary.agent):
            case Over(why=why):
                break
            case Wait(running=running):
                if not waiting:
                    tell(f"waiting: {running} at work on what is left")
                waiting = True
                stops.wait(_WAIT_SECONDS)
            case Taken() as taken:
                waiting = False
                tally.begun(taken)
                tally.settle(taken, carry_out(board, bench, taken))
    tally.summary.why = why
    return tally.summary


def carry_out(
    board: Board, bench: Bench, taken: Taken, report: Callable[[int, float], bool] | None = None
) -> Told | Unfinished:
    """Train a trial; meanwhile the board is told of its runs and its epochs, and that its agent lives.

    Args:
        board: of the sweep.
        bench: what all its trials have in common.
        taken: the trial.
        report: told the epochs instead of the board; whether the trial should be pruned.

    Raises:
        CtexpError: the trial is given back.
    """

    def live() -> None:
        if not board.beat(taken):
            raise _TakenOver

    def is_behind(epoch: int, value: float) -> bool:
        behind = report(epoch, value) if report else board.report(taken, epoch, value)
        if behind:
            live()  # or the run would say for ever that it was pruned
        return behind

    try:
        return run_trial(
            bench,
            taken,
            began=lambda member, run: board.began(taken, member, run),
            report=is_behind,
            pulse=_Pulse(live),
        )
    except _TakenOver:
        return Unfinished("another agent has it by now")
    except CtexpError as error:
        with contextlib.suppress(CtexpError):  # it may be the board that failed
            board.give_back(taken, str(error))
        raise


class _Pulse:
    """Signs of life, every few seconds."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._due = time.monotonic() + BEAT_SECONDS

    def __call__(self) -> None:
        if (now := time.monotonic()) >= self._due:
            self._due = now + BEAT_SECONDS
            self._beat()
