"""Experiments one after another: each waits as the plan says, holds its lock, and leaves its findings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ctexp.core.errors import DataError
from ctexp.research.findings import refuse_altered, write
from ctexp.research.plan.content import Experiment, ResearchPlan
from ctexp.research.running.experiment import Done, Start, lock_of, run
from ctexp.research.running.supervising import Bench
from ctexp.research.running.wanted import Asked
from ctexp.research.running.wiring import unwired
from ctexp.research.standing.standing import standing


@dataclass(frozen=True)
class Outcome:
    """An experiment after a start.

    Attributes:
        parts: that were asked for.
        waits: what has to come before it, a line each; none of it was carried out then.
        unwritten: why pages of findings could not be written, a line each.
        hint: what to do about that.
    """

    experiment: Experiment
    parts: tuple[Done, ...] = ()
    waits: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()
    hint: str = ""


def carry_out(
    start: Start, plan: ResearchPlan, chosen: Sequence[str], asked: Asked, bench: Bench
) -> list[Outcome]:
    """Carry out experiments until a signal comes.

    Args:
        start: see there.
        plan: of the project.
        chosen: the experiments, each after those it waits for.
        asked: which of their parts; where what is done is asked for again, nothing is waited for.
        bench: what their handlers have in common.

    Raises:
        UsageError: there is no such part.
        DataError: a page of findings was altered, so that its end could not be written; nothing is begun.
        Busy: somebody else carries one out.
        StorageError: a record cannot be written.
    """
    refuse_altered(start.root, chosen, stub=start.stub)
    outcomes = []
    for name in chosen:
        experiment = plan.experiments[name]
        waits = standing(start.root, plan, start.data).experiments[name].waits
        if waits and not (asked.again or start.stub):
            outcomes.append(Outcome(experiment, waits=waits))
            continue
        with lock_of(start, name) as lock:
            done = run(start, experiment, asked, replace(bench, locks=(lock,)))
            outcomes.append(_written(start, plan, experiment, done))
        if start.stub:
            for line in unwired(experiment, {one.sub: one.answer for one in done if one.answer}):
                bench.tell(line)
        if bench.stops.why:
            break
    return outcomes


def _written(start: Start, plan: ResearchPlan, experiment: Experiment, done: Sequence[Done]) -> Outcome:
    """The findings of what has been done; a page that people have damaged loses nobody an answer."""
    try:
        write(start.root, plan, start.data, stub=start.stub)
    except DataError as error:
        return Outcome(experiment, tuple(done), unwritten=error.problems, hint=error.hint)
    return Outcome(experiment, tuple(done))
