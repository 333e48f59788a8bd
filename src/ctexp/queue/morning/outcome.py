"""How a night has ended: its exit code, and what the next start takes up."""

from collections.abc import Collection

from ctexp.core.errors import CriterionNotMet, TimeBudgetUsed
from ctexp.planning.plan import window
from ctexp.planning.schedule import walk
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.morning.documents import Counts
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import JobNow, Night

FAILED = frozenset({"failed", "timeout"})

_FOR_OTHERS = frozenset({"gate", "need", "base"})
"""Kinds of a skip for what became of other jobs."""

BY_THE_JOBS = frozenset({0, CriterionNotMet.exit_code, TimeBudgetUsed.exit_code})
"""Codes of the script that its jobs have the last word on; others say what ended it from outside."""


def left(orders: Orders, night: Night) -> list[str]:
    """The jobs that the next start takes up, in the order of running."""
    never = never_begun(orders, night)
    return [job for job in left_to_do(orders, night) if night.jobs[job].state != "done" and job not in never]


def ruled_out(orders: Orders, night: Night) -> set[str]:
    """The jobs that the plan's own rules left out: a gate was not passed, or they wait for such jobs."""
    found: set[str] = set()
    for job in orders.jobs:
        state = night.jobs[job.id]
        if state.state != "skipped" or state.kind not in _FOR_OTHERS:
            continue
        gate = night.decisions.get(("gate", job.experiment), {})
        lost = [one.id for name in job.waits_for for one in night.of(orders, name) if one.state != "done"]
        # Of a gate nothing was seen of, what failed before it has decided.
        seen = state.kind == "gate" and gate.get("observed") is not None
        if seen or (lost and found.issuperset(lost)):
            found.add(job.id)
    return found


def never_begun(orders: Orders, night: Night) -> dict[str, str]:
    """The jobs that no start begins, since the whole window is too short, and what to say of each."""
    whole = window.parse(orders.window).longest - orders.kept_seconds
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for job in orders.jobs:
        state, cost = night.jobs[job.id], orders.costs.get(job.id, Cost())
        if state.attempts or state.kind != "window":
            continue
        awaited = next((missing[name] for name in job.waits_for if name in missing), None)
        said = walk.never_begun(job, cost.seconds_p90 or cost.seconds, whole)
        if awaited is not None:
            said = f"waits for {awaited}, which will never be begun"
        if said:
            found[job.id] = said
            missing.setdefault(job.experiment, job.id)
    return found


def counted(night: Night, again: Collection[str]) -> Counts:
    """Each job in one of four groups; `again` are those that the next start takes up."""
    jobs = night.jobs.values()
    done = sum(job.state == "done" for job in jobs)
    failed = sum(job.state in FAILED for job in jobs)
    skipped = sum(job.state == "skipped" and job.kind != "window" and job.id not in again for job in jobs)
    return Counts(
        jobs=len(jobs), done=done, failed=failed, skipped=skipped, left=len(jobs) - done - failed - skipped
    )


def exit_code(code: int, night: Night) -> int:
    """What the script ends with.

    Args:
        code: why its loop ended: 0 for nothing left, 5, 124, 130, 143.
        night: as far as it has come.
    """
    if code not in BY_THE_JOBS:
        return code
    open_still = [job for job in night.asked if job.state != "done"]
    if any(_kept_out(job) for job in open_still):
        return TimeBudgetUsed.exit_code
    if code == TimeBudgetUsed.exit_code and any(
        job.state in {"pending", "running", "interrupted"} for job in open_still
    ):
        return code
    return CriterionNotMet.exit_code if open_still else 0


def reason(code: int | None, counts: Counts, night: Night) -> str:
    """Why the night has ended with that code, in a few words; None where nobody saw it end."""
    if code is None:
        return "nobody saw it end: it was killed, or the machine went down"
    if code == 0 and not counts.left:
        return "all jobs are done"
    told = {
        0: "all jobs that were asked for are done",
        5: "too little of the disk is free, or it cannot be written",
        12: "not all jobs are done",
        124: "the window closed with jobs left"
        if any(_cut_off(job) for job in night.asked)
        else "jobs were left that would not fit into the window",
        130: "stopped by SIGINT",
        143: "stopped by SIGTERM",
    }
    return told.get(code, f"the script ended with {code}")


def _cut_off(job: JobNow) -> bool:
    """Whether the window's end came upon it, or before it was looked at."""
    return job.state in {"pending", "running"} or (job.state == "interrupted" and job.kind == "window")


def _kept_out(job: JobNow) -> bool:
    """Whether it is the window that has kept a job from its end."""
    return job.state in {"skipped", "interrupted"} and job.kind == "window"
