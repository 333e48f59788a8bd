"""The orders of a queue, drawn up from its plan: every figure in seconds and bytes, nothing left open."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ctexp.core import durations
from ctexp.core.sizes import size_bytes
from ctexp.executors.slots import Device
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, in_order
from ctexp.queue.orders import Cost, Orders
from ctexp.record.manifest import Estimate


def orders_of(
    plan: Plan,
    jobs: Sequence[Job],
    costs: Mapping[str, Estimate | None],
    *,
    queue: str,
    plan_file: str,
    plan_sha256: str,
    script_sha256: str,
    mode: str,
    root: Path,
    runs: Path,
    device: str,
    gpu_uuid: str | None,
    primary: str,
    executor: str = "local",
    devices: Sequence[Device] = (),
    elsewhere: bool = False,
) -> Orders:
    """Draw them up; see `Orders` for what the arguments are."""
    cooldown, limits = plan.cooldown, plan.limits
    return Orders(
        queue=queue,
        plan=plan.name,
        plan_file=plan_file,
        plan_sha256=plan_sha256,
        script_sha256=script_sha256,
        mode=mode,
        root=str(root),
        runs=str(runs),
        device=device,
        gpu_uuid=gpu_uuid,
        window=plan.window,
        baseline=plan.baseline,
        primary=primary,
        retries=plan.retries,
        pause_seconds=durations.seconds(cooldown.pause),
        cool_below=cooldown.below,
        foreign_bytes=size_bytes(cooldown.foreign),
        cooldown_seconds=durations.seconds(cooldown.at_most),
        disk_reserve_bytes=size_bytes(plan.reserve.disk),
        analysis_seconds=durations.seconds(plan.reserve.analysis),
        silence_seconds=durations.seconds(limits.silence),
        grace_seconds=durations.seconds(limits.grace),
        analysis=tuple(plan.analysis),
        jobs=tuple(in_order(jobs)),
        costs=costs_of(costs),
        executor=executor,
        devices=tuple(devices),
        elsewhere=elsewhere,
    )


def costs_of(estimates: Mapping[str, Estimate | None]) -> dict[str, Cost]:
    """What a night needs to know of estimates; for memory and disk the p90, which has to be free."""
    return {
        job: Cost()
        if one is None
        else Cost(
            seconds=one.seconds,
            seconds_p90=one.seconds_p90,
            memory_bytes=one.memory_bytes_p90 if one.memory_bytes_p90 is not None else one.memory_bytes,
            disk_bytes=one.disk_bytes_p90 if one.disk_bytes_p90 is not None else one.disk_bytes,
            basis=one.basis,
        )
        for job, one in estimates.items()
    }
