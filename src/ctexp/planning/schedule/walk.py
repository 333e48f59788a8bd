"""A night gone through in thought: which jobs find time, one after the other, at a pace that is assumed.

The rules are those of `queue.deciding.choose`: a job is begun only where its p90 is left of the window, a
shorter one after it may still be. Gates are taken to be met, and nothing fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ctexp.core import clock
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job
from ctexp.planning.schedule.costs import bound
from ctexp.record.manifest import Estimate

Pace = Literal["p50", "p90"]


@dataclass(frozen=True)
class Slot:
    """A job's place in the night, in seconds from its beginning.

    Attributes:
        shortened: it is stopped at the window's end instead of being left out.
        certain: whether the costs of all before it are known; else both are the least they can be.
    """

    begins: float
    ends: float
    shortened: bool
    certain: bool


@dataclass(frozen=True)
class Walk:
    """How it goes.

    Attributes:
        slots: of the jobs that are begun.
        left_out: why each other one is not.
        ends: when the last one is over.
    """

    slots: Mapping[str, Slot]
    left_out: Mapping[str, str]
    ends: float


def walk(
    jobs: Sequence[Job], costs: Mapping[str, Estimate | None], seconds: float, pause: float, pace: Pace
) -> Walk:
    """Go through the jobs.

    Args:
        jobs: in the order of running.
        costs: by job id.
        seconds: that there are for all of them.
        pause: between two of them.
        pace: whether jobs take their median time or all of them their p90.
    """
    slots: dict[str, Slot] = {}
    left_out: dict[str, str] = {}
    missing: dict[str, str] = {}
    now = ends = 0.0
    certain = True
    for job in jobs:
        cost, left = costs[job.id], max(0.0, seconds - now)
        needed = LEAST_SECONDS if cost is None else bound(cost)
        shortened = job.shorten and needed > left >= LEAST_SECONDS
        awaited = next((missing[name] for name in job.waits_for if name in missing), None)
        if awaited is not None or (needed > left and not shortened):
            late = f"needs {_said(cost)}, {clock.duration(left)} are left"
            left_out[job.id] = late if awaited is None else f"waits for {awaited}, which is left out"
            missing.setdefault(job.experiment, job.id)
            continue
        takes = 0.0 if cost is None else cost.seconds if pace == "p50" else bound(cost)
        ends = now + (min(takes, left) if shortened else takes)
        slots[job.id] = Slot(now, ends, shortened, certain)
        certain = certain and cost is not None
        now = ends + pause
    return Walk(slots, left_out, ends)


def never_begun(job: Job, needed: float | None, whole: float) -> str:
    """Why no night begins a job, in words: it needs more than the whole window. Empty where one may.

    Args:
        job: the job.
        needed: seconds, its p90; None where nobody knows.
        whole: seconds that the window has for jobs, if nothing runs before.
    """
    if needed is None or needed <= whole or job.shorten:
        return ""
    said = f"needs {clock.duration(needed)} (p90), the whole window has {clock.duration(max(0.0, whole))}"
    shorter = ", or shorten: true" if job.verb == "train" else ""
    return f"{said}: it will never be begun; lengthen the window{shorter}"


def _said(cost: Estimate | None) -> str:
    """What a job needs, in words."""
    if cost is None:
        return f"at least {clock.duration(LEAST_SECONDS)} (its cost is unknown)"
    return f"{clock.duration(bound(cost))} (p90)"
