"""Whether there is room for a job: time of the window, bytes on the disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from ctexp.core import clock
from ctexp.core.errors import StorageError
from ctexp.planning.packing.pack import Length
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job
from ctexp.queue.deciding.renewed import lengths
from ctexp.queue.deciding.verdicts import Now, Skip, Stop
from ctexp.queue.orders import Orders
from ctexp.queue.state import JobNow, Night


@dataclass(frozen=True)
class Room:
    """What there is now.

    Attributes:
        orders: of the queue.
        disk_free: bytes where the runs are.
        seconds: that jobs may still use, from when the next one can begin; None for as long as they like.
        lengths: what each job still takes, by its id; see `left_of`.
        lanes: of several places the seconds that each has; None where jobs come one after the other.
    """

    orders: Orders
    disk_free: int
    seconds: float | None
    lengths: Mapping[str, Length | None]
    lanes: tuple[float, ...] | None = None

    def too_little(self, job: Job) -> Skip | Stop | None:
        """Why a job cannot be begun: too little time, or too little disk."""
        if self.seconds is not None:
            left = self.lengths[job.id]
            if self.seconds < least(job, left):
                reason = f"needs {said(left)}, {clock.duration(max(0.0, self.seconds))} are left"
                return Skip(job.id, "window", reason)
        cost = self.orders.costs.get(job.id)
        expected = (cost.disk_bytes if cost else None) or 0
        if self.disk_free < self.orders.disk_reserve_bytes + expected:
            reserve = f"{_gb(self.orders.disk_reserve_bytes)} are to stay free"
            reason = f"{self.orders.runs}: {_gb(self.disk_free)} are free, {job.id} needs {_gb(expected)}"
            way = "free some space (scripts/inv prune), or lower reserve.disk"
            return Stop(StorageError.exit_code, f"{reason}, and {reserve}: {way}")
        return None


def room(orders: Orders, night: Night, now: Now) -> Room:
    """The room for the jobs that come next.

    A job that runs is taken to end by its p50, and the pause that it, or the last one, leaves behind counts
    as used: nothing begins before. Of several places the next job has the one that is free first.
    """
    whole = lengths(orders, night)
    left = {job.id: left_of(whole[job.id], job) for job in night.jobs.values()}
    closes = night.begins[-1].get("closes_uptime") if night.begins else None
    if closes is None:
        return Room(orders, now.disk_free, None, left)
    if orders.devices:
        lanes = tuple(closes - ready - orders.kept_seconds for ready in _free(orders, night, now, left))
        return Room(orders, now.disk_free, max(lanes), left, tuple(max(0.0, one) for one in lanes))
    ready = now.uptime
    for job in night.jobs.values():
        last = job.attempts[-1] if job.attempts else None
        event = (last.end or last.start) if last else {}
        if "uptime" not in event or event["seq"] < night.began_at:
            continue
        over = event["uptime"]
        if job.open and (length := left[job.id]):
            over = max(now.uptime, over + length.p50)
        ready = max(ready, over + orders.pause_seconds)
    return Room(orders, now.disk_free, closes - ready - orders.kept_seconds, left)


def _free(orders: Orders, night: Night, now: Now, left: Mapping[str, Length | None]) -> list[float]:
    """When each place is free, with the pause that the last job on its device leaves behind."""
    found: list[float] = []
    for device in orders.devices:
        mine = [job for job in night.jobs.values() if job.device == device.name]
        running = [job for job in mine if job.state == "running"]
        ends = [job.attempts[-1].end for job in mine if job.attempts and job.attempts[-1].end]
        pauses = [end["uptime"] for end in ends if "uptime" in end and end["seq"] > night.began_at]
        free = max([now.uptime, *(pause + orders.pause_seconds for pause in pauses)])
        found += [free] * max(0, device.jobs - len(running))
        for job in running:
            begun = job.open.start.get("uptime", now.uptime) if job.open else now.uptime
            length = left[job.id]
            ends_at = max(now.uptime, begun + (length.p50 if length else 0.0))
            found.append(ends_at + orders.pause_seconds)
    return found


def latest_begin(orders: Orders, night: Night, job_id: str) -> float | None:
    """The uptime after which a job has no room any more; None where it has, whenever it begins."""
    closes = night.begins[-1].get("closes_uptime") if night.begins else None
    if closes is None or job_id not in night.jobs:
        return None
    left = left_of(lengths(orders, night)[job_id], night.jobs[job_id])
    return float(closes) - orders.kept_seconds - least(orders.job(job_id), left)


def least(job: Job, left: Length | None) -> float:
    """Seconds that have to be there for a job that still takes so long."""
    needed = LEAST_SECONDS if left is None else left.p90
    return min(LEAST_SECONDS, needed) if job.shorten else needed


def left_of(whole: Length | None, job: JobNow) -> Length | None:
    """What a job still takes: what its run has done is done. None where nobody knows."""
    if whole is None:
        return None
    run = job.attempts[-1].run if job.attempts else None
    spent = sum(
        (one.end.get("seconds") or 0.0)
        for one in job.attempts
        if run and one.end and one.run == run and one.end["state"] == "interrupted"
    )
    return Length(_less(whole.p50, spent), _less(whole.p90, spent))


def said(length: Length | None) -> str:
    """What a job needs, in words."""
    if length is None:
        return f"at least {clock.duration(LEAST_SECONDS)} (its cost is unknown)"
    return f"{clock.duration(length.p90)} (p90)"


def _less(seconds: float, spent: float) -> float:
    return max(min(LEAST_SECONDS, seconds), seconds - spent)


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
