"""An agent of a sweep that W&B keeps: W&B says what is tried and what is stopped, the board notes it.

Each trial is a run of W&B's sweep, which is told the objective and the epochs of the first training. Its
trainings are runs of their own, as everywhere. W&B hands out nothing twice: a trial whose agent died is gone
on with here, from its checkpoint, and W&B's run of it stays broken off.
"""

import os
from collections.abc import Callable

from ctexp.config.compose import compose
from ctexp.core import files
from ctexp.core.errors import PreflightError
from ctexp.core.locks import FileLock
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary, Tally
from ctexp.sweeps.agent.trial import Bench, Unfinished
from ctexp.sweeps.agent.work import carry_out
from ctexp.sweeps.begun import name_of
from ctexp.sweeps.board.shared import SharedBoard
from ctexp.sweeps.trials import Over, Taken
from ctexp.sweeps.wandb_sweeps.offers import fitting, flat
from ctexp.sweeps.wandb_sweeps.service import Service

_CREATION_SECONDS = 120.0
"""So long one agent waits for another to make the sweep."""


def work(
    board: SharedBoard, bench: Bench, stops: Stops, *, count: int | None, tell: Callable[[str], None]
) -> AgentSummary:
    """Take trials until W&B has no more, or there is a reason to stop; asked as `agent.work.work` is.

    Raises:
        PreflightError: W&B cannot be reached, or refuses.
        UsageError: it hands out what the sweep's file does not have.
        CriterionNotMet: the first trials all failed alike.
        CtexpError: what refuses to train here; the trial is given back.
    """
    if (mode := os.environ.get("WANDB_MODE", "online")) not in ("online", "shared"):
        raise PreflightError(
            f"WANDB_MODE={mode}: W&B keeps no sweep offline", "unset it, or take backend optuna"
        )
    tally = Tally(board, bench, stops, count=count, tell=tell)
    summary = tally.summary
    log = bench.place.logs / f"wandb-{summary.agent}.log"
    with Service(bench.root, bench.place.path, log) as service:
        sweep = _sweep(bench, service, tell)
        while not (why := tally.enough()):
            match board.take(summary.agent):
                case Over(why=why):
                    break
                case Taken() as taken:  # begun by an agent that died, or was told to stop
                    tally.begun(taken)
                    tally.settle(taken, carry_out(board, bench, taken))
                case _:
                    if not _one(board, bench, stops, service, sweep, tally):
                        why = stops.why or "W&B has no more trials"
                        break
    summary.why = why
    return summary


def _one(board: SharedBoard, bench: Bench, stops: Stops, service: Service, sweep: str, tally: Tally) -> bool:
    """A trial that W&B hands out; whether there was one."""
    offer = service.next(sweep, stops)
    if offer is None:
        return False
    metric = bench.spec.metric
    taken = board.enter(tally.summary.agent, fitting(bench.spec.space, flat(offer)))
    tally.begun(taken)
    service.name(name_of(bench.sweep, taken.number))

    def report(epoch: int, value: float) -> bool:
        board.report(taken, epoch, value)
        return service.epoch(metric, epoch, value)

    came = carry_out(board, bench, taken, report)
    try:
        if not isinstance(came, Unfinished):  # else W&B's run of it is broken off with this agent
            service.end(metric, came)
    finally:
        tally.settle(taken, came)
    return True


def _sweep(bench: Bench, service: Service, tell: Callable[[str], None]) -> str:
    """W&B's path of the sweep, which its first agent makes."""
    kept = bench.place.path / "wandb.txt"
    lock = FileLock(bench.place.path / "wandb.lock", "the making of W&B's sweep")
    lock.acquire(patience=_CREATION_SECONDS)
    try:
        if not kept.is_file():
            tracker = compose([*bench.words({})], bench.root).settings.logger
            made = service.create(bench.spec.raw, tracker.project, tracker.entity)
            files.write_text(kept, f"{made}\n")
            tell(f"made the sweep {made} of W&B")
        return kept.read_text().strip()
    finally:
        lock.release()
