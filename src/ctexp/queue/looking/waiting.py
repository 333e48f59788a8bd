"""What a job that has not begun waits for, in words."""

from ctexp.planning.plan.jobs import Job
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night

OVER = frozenset({"done", "failed", "timeout", "skipped"})
"""States of a job that nothing more comes after, in the words of a person who looks."""


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
