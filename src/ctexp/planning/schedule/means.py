"""What jobs need beside time: memory of the GPU, disk, and the limits that the plan sets itself."""

from collections.abc import Iterator, Mapping, Sequence

from ctexp.core import clock
from ctexp.core.gpu import Gpu
from ctexp.core.sizes import size_bytes
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.estimates import disk, memory
from ctexp.planning.plan.document import Plan
from ctexp.planning.schedule.schedule import Totals
from ctexp.record.manifest import Estimate


def on_gpu(jobs: Sequence[CheckedJob], gpu: Gpu | None) -> list[CheckedJob]:
    """Those that compute on it."""
    return [one for one in jobs if gpu is not None and one.device == gpu.name]


def judged(
    jobs: Sequence[CheckedJob],
    costs: Mapping[str, Estimate | None],
    totals: Totals,
    plan: Plan,
    gpu: Gpu | None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is too much, and what may be: a line each.

    Args:
        jobs: those that are to be begun.
        costs: by job id.
        totals: of all of them.
        plan: its limits.
        gpu: of this machine.

    Returns:
        Problems and warnings.
    """
    problems: list[str] = []
    warnings: list[str] = []
    room = max(0, totals.free_bytes - totals.reserve_bytes)
    if totals.disk_bytes > room:
        problems.append(_disk("is expected to", totals.disk_bytes, room, totals))
    elif totals.disk_bytes_p90 > room:
        warnings.append(_disk("may (p90)", totals.disk_bytes_p90, room, totals))
    for one in _first_of_each(jobs):
        cost = costs[one.job.id]
        if cost is None:
            continue
        if one.job.limit_seconds is not None and cost.seconds >= one.job.limit_seconds:
            limit = clock.duration(one.job.limit_seconds)
            warnings.append(f"{one.job.experiment}: expected to be given up at its limit of {limit}")
        if on_gpu([one], gpu):
            line, certain = _memory(one, cost, plan, gpu.memory if gpu else None)
            (problems if certain else warnings).extend([line] if line else [])
    return tuple(problems), tuple(warnings)


def _disk(said: str, expected: int, room: int, totals: Totals) -> str:
    reserve = f"the reserve of {disk(totals.reserve_bytes)} (reserve.disk)"
    found = f"disk: the night {said} write {disk(expected)}; {disk(room)} are free beyond {reserve}"
    return f"{found}: free some space (scripts/inv prune), or lower reserve.disk"


def _memory(one: CheckedJob, cost: Estimate, plan: Plan, there: int | None) -> tuple[str, bool]:
    """What to say of a job's memory, nothing where it fits, and whether it has no way around that."""
    allowed = size_bytes(plan.limits.memory) if plan.limits.memory else None
    bounds = [(there, "the GPU has"), (allowed, "limits.memory allows")]
    least, whose = min(((bound, whose) for bound, whose in bounds if bound), default=(None, ""))
    for expected, basis in ((cost.memory_bytes, "expected"), (cost.memory_bytes_p90, "at the p90")):
        if least is not None and expected is not None and expected > least:
            line = f"{one.job.experiment}: {memory(expected)} of GPU memory {basis}, {whose} {memory(least)}"
            retries = one.composed.resolved["trainer"]["on_oom"] == "retry"
            if retries or "oom" in one.job.fallback:
                return f"{line}; it goes on in smaller parts, or with its fallback", False
            if basis == "expected":
                return f"{line}: lower data.batch_size, or set trainer.on_oom=retry", True
            return line, False
    return "", False


def _first_of_each(jobs: Sequence[CheckedJob]) -> Iterator[CheckedJob]:
    """One job of each experiment: its seeds cost alike."""
    seen = set()
    for one in jobs:
        if one.job.experiment not in seen:
            seen.add(one.job.experiment)
            yield one
