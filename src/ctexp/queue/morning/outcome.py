"""How a night has ended: its exit code, and what the next start takes up."""

from collections.abc import Collection

from ctexp.core.errors import CriterionNotMet, TimeBudgetUsed
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.morning.documents import Counts
from ctexp.queue.orders import Orders
from ctexp.queue.state import JobNow, Night

FAILED = frozenset({"failed", "timeout"})

BY_THE_JOBS = frozenset({0, CriterionNotMet.exit_code, TimeBudgetUsed.exit_code})
"""Codes of the script that its jobs have the last word on; others say what ended it from outside."""


def left(orders: Orders, night: Night) -> list[str]:
    """The jobs that the next start takes up, in the order of running."""
    return [job for job in left_to_do(orders, night) if night.jobs[job].state != "done"]


def counted(night: Night, again: Collection[str]) -> Counts:
    """Each job in one of four groups; `again` are those that the next start takes up."""
    jobs = night.jobs.values()
    done = sum(job.state == "done" for job in jobs)
    failed = sum(job.state in FAILED for job in jobs)
    skipped = sum(job.state == "skipped" and job.id not in again for job in jobs)
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


def reason(code: int | None, counts: Counts) -> str:
    """Why the night has ended with that code, in a few words; None where nobody saw it end."""
    if code is None:
        return "nobody saw it end: it was killed, or the machine went down"
    if code == 0 and not counts.left:
        return "all jobs are done"
    told = {
        0: "all jobs that were asked for are done",
        5: "the disk is full, or cannot be written",
        12: "not all jobs are done",
        124: "the window closed with jobs left",
        130: "stopped by SIGINT",
        143: "stopped by SIGTERM",
    }
    return told.get(code, f"the script ended with {code}")


def _kept_out(job: JobNow) -> bool:
    """Whether it is the window that has kept a job from its end."""
    return job.state in {"skipped", "interrupted"} and job.kind == "window"
