"""What a job that has not begun waits for, or why it never will be begun, in words."""

from typing import NamedTuple

from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.verdicts import Left, Over, Skip, Verdict
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night

OVER = frozenset({"done", "failed", "timeout", "skipped"})
"""States of a job that nothing more comes after, in the words of a person who looks."""


class Outlook(NamedTuple):
    """Why a job is left, or what it waits for: one of the two, one line; neither once it was begun."""

    left: str | None = None
    waits: str | None = None


def outlook(
    orders: Orders, night: Night, job: Job, verdict: Verdict, *, no_room: bool, at_work: bool
) -> Outlook:
    """What is to be expected of a job.

    Args:
        orders: of its queue.
        night: as it is now.
        job: that is pending, or was interrupted.
        verdict: on it, by `choose.survey`.
        no_room: whether the window is meant for others.
        at_work: whether anybody is at the queue, who may yet begin it.
    """
    only = night.begins[-1].get("only") if night.begins else None
    if only is not None and job.id not in only:
        return Outlook(left="not asked for with --only")
    match verdict:
        case Skip(reason=reason):
            return Outlook(left=f"{'will be skipped' if at_work else 'left'}: {reason}")
        case Left() | Over():
            return Outlook(left="left for another start")
    if not at_work:
        return Outlook(waits="another start of the script")
    if no_room:
        return Outlook(left="left out of the window for others, unless they take less")
    return Outlook(waits=waits_for(orders, night, job))


def waits_for(orders: Orders, night: Night, job: Job) -> str:
    """One line: the experiments that are not over, what is still to be decided, or nothing but its turn."""
    lines = []
    for experiment in job.waits_for:
        members = night.of(orders, experiment)
        over = sum(one.state in OVER for one in members)
        if over < len(members):
            lines.append(f"{experiment} ({over} of {len(members)} over){_purpose(job, experiment)}")
    return ", ".join(lines) if lines else "its turn"


def dependents(orders: Orders, experiment: str) -> list[str]:
    """The jobs that wait for an experiment, and those that wait for theirs, in the order of running."""
    reached, found = {experiment}, []
    for job in orders.jobs:  # each comes after all it waits for
        if reached.intersection(job.waits_for):
            reached.add(job.experiment)
            found.append(job.id)
    return found


def _purpose(job: Job, experiment: str) -> str:
    if job.gate and job.gate.after == experiment:
        return f" for its gate, {job.gate.metric} {job.gate.op} {job.gate.value:g}"
    if job.base and experiment in job.base.best_of:
        return ", to begin with the best"
    return ""
