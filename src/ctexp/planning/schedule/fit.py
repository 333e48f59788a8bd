"""A plan in its window: when each job begins, what is left out and why, and what the night takes in all."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ctexp.core import clock, durations
from ctexp.core.gpu import Gpu
from ctexp.core.sizes import size_bytes
from ctexp.executors.slots import Device, Need
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.plan import window
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import LEAST_SECONDS, in_order
from ctexp.planning.schedule import means
from ctexp.planning.schedule.costs import bound
from ctexp.planning.schedule.lanes import given, is_shared_out
from ctexp.planning.schedule.schedule import Entry, Fits, Schedule, Totals
from ctexp.planning.schedule.walk import Slot, never_begun, walk
from ctexp.record.manifest import Estimate


def fit(
    checked: Sequence[CheckedJob],
    costs: Mapping[str, Estimate | None],
    plan: Plan,
    *,
    now: datetime,
    gpu: Gpu | None,
    free_bytes: int,
    devices: Sequence[Device] = (),
) -> Schedule:
    """Put the jobs into the plan's window, one after the other or several at once.

    Args:
        checked: the jobs.
        costs: what each is expected to cost, by its id.
        plan: whose window, pause, reserves and limits hold.
        now: aware; the window is counted from then.
        gpu: the one of this machine; None where there is none.
        free_bytes: of the disk that holds the runs.
        devices: that jobs run on, several at once; none where they come one after the other.
    """
    its_window = window.parse(plan.window)
    opens, closes = its_window.opens(now)
    analysis = durations.seconds(plan.reserve.analysis)
    grace = durations.seconds(plan.limits.grace)
    there = max(0.0, (closes - opens).total_seconds() - grace - analysis)
    jobs = in_order([one.job for one in checked])
    pause = durations.seconds(plan.cooldown.pause)
    median = walk(jobs, costs, there, pause, "p50", devices)
    slow = walk(jobs, costs, there, pause, "p90", devices)

    def need(job: str) -> Need:
        return given(costs[job], devices) if is_shared_out(devices) else None

    def entry(job: str) -> Entry:
        slot = median.slots.get(job)
        if slot is None:
            return Entry(job, costs[job], "no", median.left_out[job], need_bytes=need(job))
        fits, why = _how(job, slot, slow.left_out, known=costs[job] is not None)
        begins, ends = (opens + timedelta(seconds=seconds) for seconds in (slot.begins, slot.ends))
        return Entry(job, costs[job], fits, why, begins, ends, slot.certain, need(job))

    left_out = (job.id for job in jobs if job.id not in median.slots)
    entries = tuple(entry(job) for job in (*median.slots, *left_out))
    running = {entry.job for entry in entries if entry.fits != "no"}
    fitting = [one for one in checked if one.job.id in running]
    known = [cost for one in fitting if (cost := costs[one.job.id])]
    on_gpu = means.on_gpu(fitting, gpu)
    memory = [costs[one.job.id] for one in (on_gpu or fitting)]
    totals = Totals(
        jobs=len(jobs),
        fitting=len(fitting),
        unknown=len(fitting) - len(known),
        on_gpu=bool(on_gpu),
        device_hours=sum(cost.seconds for cost in known) / 3600,
        device_hours_p90=sum(bound(cost) for cost in known) / 3600,
        finish=opens + timedelta(seconds=median.ends + analysis),
        finish_p90=opens + timedelta(seconds=max(median.ends, slow.ends) + analysis),
        memory_bytes=max((cost.memory_bytes for cost in memory if cost and cost.memory_bytes), default=None),
        memory_bytes_p90=max(
            (cost.memory_bytes_p90 for cost in memory if cost and cost.memory_bytes_p90), default=None
        ),
        gpu_bytes=gpu.memory if gpu else None,
        disk_bytes=sum(cost.disk_bytes or 0 for cost in known),
        disk_bytes_p90=sum(cost.disk_bytes_p90 or 0 for cost in known),
        free_bytes=free_bytes,
        reserve_bytes=size_bytes(plan.reserve.disk),
    )
    problems, warnings = means.judged(fitting, costs, totals, plan, gpu)
    longest = its_window.longest - grace - analysis
    if longest < LEAST_SECONDS:
        stops, tells = clock.duration(grace), clock.duration(analysis)
        problems = (
            f"window {plan.window}: {stops} to stop a job (limits.grace) and {tells} to analyse "
            "(reserve.analysis) are kept of it, so no job can begin: lengthen it, or keep less",
            *problems,
        )
    never = {
        job.experiment: f"{job.experiment}: {why}"
        for job in jobs
        if (cost := costs[job.id]) and (why := never_begun(job, bound(cost), longest))
    }
    warnings = (*never.values(), *warnings)
    if doubt := its_window.doubt(now):
        warnings = (doubt, *warnings)
    return Schedule(
        plan.window,
        opens,
        closes,
        analysis,
        entries,
        totals,
        problems,
        warnings,
        grace,
        tuple(devices),
    )


def _how(job: str, slot: Slot, left_out_where_slow: Mapping[str, str], *, known: bool) -> tuple[Fits, str]:
    """How a job that is begun fits, and what to know of that."""
    if slot.shortened:
        return "shortened", "stopped at the window's end"
    if job in left_out_where_slow:
        return "likely", "unless those before it take long"
    if not known:
        return "likely", "what it costs is unknown"
    if not slot.certain:
        return "likely", "what those before it cost is unknown"
    return "yes", ""
