"""What a job of a queue is doing: its attempts, what its run tells, when it will have ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.planning.packing.pack import Length
from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.choose import look
from ctexp.queue.deciding.renewed import lengths
from ctexp.queue.deciding.verdicts import Now
from ctexp.queue.folder import QueueDir
from ctexp.queue.looking.forecast import Ahead, Ends, forecast
from ctexp.queue.looking.progress import Progress, progress
from ctexp.queue.looking.waiting import OVER, Outlook, outlook
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import Attempt, JobNow, Night


@dataclass(frozen=True)
class JobLook:
    """A job as it is now; times are UTC, durations seconds, None where there is nothing to say.

    Attributes:
        state: `pending`, `running`, `done`, `failed`, `timeout`, `skipped` or `interrupted`.
        kind: of failure, interruption or skip; see the journal.
        reason: one line for a job that failed, was skipped, interrupted or left.
        waits: what a pending one waits for, one line.
        attempt: how many there were; `fallback` the kind of failure the newest one answers.
        run: the run's id; `log` the file with the attempt's output.
        epoch: whole epochs done of `epochs`; of a cross-validation in its newest fold, `folds_done` of
            `folds`.
        trials: of a sweep that are over; `metric` is that of the best of them.
        loss: of training, in the last epoch.
        metric: `{name, value, low, high}`, the primary one; low and high once the job is done.
        seconds: of all attempts so far; `expected` and `expected_p90` of the whole job, by `basis`, renewed
            by what jobs of this night took.
        ends: when it will have ended; `ends_p90` nine times of ten, `fits` whether that is in the window.
        cancelled: somebody dropped it.
        device: of several, what its newest attempt was given.
        deviations: from the plan, one line each.
    """

    id: str
    experiment: str
    seed: int
    state: str
    kind: str | None
    reason: str | None
    waits: str | None
    attempt: int
    fallback: str | None
    run: str | None
    log: str | None
    epoch: int | None
    epochs: int | None
    folds_done: int | None
    folds: int | None
    trials: int | None
    loss: float | None
    metric: Mapping[str, Any] | None
    seconds: float | None
    expected: float | None
    expected_p90: float | None
    basis: str
    ends: str | None
    ends_p90: str | None
    fits: bool | None
    cancelled: bool
    deviations: tuple[str, ...]
    device: str | None = None

    def document(self) -> dict[str, Any]:
        """Plain JSON values; durations whose names do not say so stand there a second time, as seconds."""
        in_units = {f"{name}_seconds": getattr(self, name) for name in ("expected", "expected_p90")}
        return {**vars(self), **in_units}

    @property
    def to_come(self) -> bool:
        """Whether it will end in this start of the script, as far as anybody can tell."""
        return self.state == "running" or self.waits is not None


def look_at_jobs(
    queue: QueueDir,
    orders: Orders,
    night: Night,
    *,
    now: datetime,
    uptime: float,
    closes: datetime | None,
    alive: bool,
    at_work: bool,
    said: Mapping[str, str],
) -> tuple[JobLook, ...]:
    """Every job, in the order of running.

    Args:
        queue: whose.
        orders: of it.
        night: as it is now.
        now: aware.
        uptime: when the last decision was possible, seconds as the journal counts them.
        closes: the window's end.
        alive: a process is at it: ends are foreseen.
        at_work: it goes on by itself, be it with the cluster's next task.
        said: what a cluster says of jobs that it does not run now, a few words each.
    """
    found = {job.id: _progress(queue, orders, job) for job in night.jobs.values()}
    tonight = look(orders, night, Now(uptime, disk_free=2**63))
    out = frozenset(tonight.packed.left_out if tonight.packed else ())
    prospects: dict[str, Outlook] = {}
    for job, verdict in tonight.verdicts:
        if night.jobs[job.id].state in {"pending", "interrupted"}:
            no_room = job.id in out
            prospects[job.id] = outlook(orders, night, job, verdict, no_room=no_room, at_work=at_work)
    left = {job for job, its in prospects.items() if its.left}
    expected = lengths(orders, night)
    order = tonight.packed.jobs if tonight.packed else orders.jobs
    to_come = [job.id for job in order if job.id not in left]
    ends = _ends(orders, night, to_come, expected, found, now) if alive else {}

    def job_look(job: Job) -> JobLook:
        state, its, length, end = night.jobs[job.id], found[job.id], expected[job.id], ends.get(job.id)
        prospect, of_cluster = prospects.get(job.id, Outlook()), said.get(job.id)
        newest = state.attempts[-1] if state.attempts else None
        lost = state.state == "running" and (not alive or of_cluster is not None)
        reasons = ("nobody saw its end", of_cluster) if lost else (state.reason, prospect.left)
        return JobLook(
            id=job.id,
            experiment=job.experiment,
            seed=job.seed,
            state="interrupted" if lost else state.state,
            kind=state.kind,
            reason=_and(*reasons),
            waits=_and(prospect.waits, of_cluster) if prospect.waits else None,
            attempt=len(state.attempts),
            fallback=newest.fallback if newest else None,
            run=state.run or its.run,
            log=str(queue.output(f"{job.id}.{newest.number}")) if newest else None,
            epoch=its.epoch,
            epochs=its.epochs,
            folds_done=its.folds_done,
            folds=its.folds,
            trials=its.trials,
            loss=its.loss,
            metric=_metric(orders, newest, its),
            seconds=_spent(state, now) if newest else None,
            expected=length.p50 if length else None,
            expected_p90=length.p90 if length else None,
            basis=_basis(orders.costs.get(job.id, Cost()), length),
            ends=later(now, end.p50) if end else None,
            ends_p90=later(now, end.p90) if end else None,
            fits=now + timedelta(seconds=end.p90) <= closes if end and closes else None,
            cancelled=state.cancelled,
            deviations=tuple(state.deviations),
            device=state.device if newest else None,
        )

    return tuple(map(job_look, orders.jobs))


def _and(*words: str | None) -> str | None:
    return "; ".join(filter(None, words)) or None


def _progress(queue: QueueDir, orders: Orders, job: JobNow) -> Progress:
    if not job.attempts:
        return Progress()
    return progress(Path(orders.runs), queue.id, job.id, job.attempts[-1])


def _basis(cost: Cost, expected: Length | None) -> str:
    """What the expectation stands on."""
    if expected is None or expected == Length(cost.seconds or 0.0, cost.seconds_p90 or cost.seconds or 0.0):
        return cost.basis
    others = "other seeds of this night" if cost.seconds is None else "jobs of this night"
    return others if cost.seconds is None else f"{cost.basis}, renewed by {others}"


def _ends(
    orders: Orders,
    night: Night,
    jobs: Sequence[str],
    expected: Mapping[str, Length | None],
    found: Mapping[str, Progress],
    now: datetime,
) -> Mapping[str, Ends]:
    """When each of these jobs that is not over will have ended; one that runs is first."""
    ahead = []
    for job in sorted((night.jobs[name] for name in jobs), key=lambda one: one.open is None):
        if job.state in OVER:
            continue
        running, far = job.open, found[job.id]
        spent = _attempt_seconds(running, now) if running else None
        pace = far.seconds_left
        if pace is not None and far.written is not None:
            pace = max(0.0, pace - (now.timestamp() - far.written))
        ahead.append(Ahead(job.id, expected[job.id], spent, pace if running else None))
    together = orders.mode == "slurm"
    return forecast(ahead, pause=orders.pause_seconds, places=orders.slots, together=together)


def _metric(orders: Orders, newest: Attempt | None, found: Progress) -> Mapping[str, Any] | None:
    """The primary metric: as the run ended, or else of its last epoch."""
    name = orders.primary if "/" in orders.primary else f"val/{orders.primary}"
    ended = (newest.end or {}).get("metrics", {}) if newest else {}
    if isinstance(measured := ended.get(name), dict):
        return {"name": name, "low": None, "high": None, **measured}
    value = (found.values or {}).get(name)
    return None if value is None else {"name": name, "value": value, "low": None, "high": None}


def _spent(job: JobNow, now: datetime) -> float:
    return round(sum(_attempt_seconds(attempt, now) for attempt in job.attempts), 1)


def _attempt_seconds(attempt: Attempt, now: datetime) -> float:
    if attempt.end is not None:
        return float(attempt.end.get("seconds") or 0.0)
    begun = moment(attempt.start.get("time"))
    return max(0.0, (now - begun).total_seconds()) if begun else 0.0


def moment(said: Any) -> datetime | None:
    """The aware moment that an ISO text says; None for anything else."""
    try:
        return datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None


def later(now: datetime, seconds: float) -> str:
    """So many seconds after a moment, as records say it."""
    return clock.iso(now + timedelta(seconds=seconds))
