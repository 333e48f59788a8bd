"""What became of each job, from the journal and from what its own run says."""

from collections.abc import Collection, Iterable
from pathlib import Path

from ctexp.core.errors import CtexpError
from ctexp.evaluation.health.told import unresolved
from ctexp.queue.folder import QueueDir
from ctexp.queue.morning import outcome, unsaid
from ctexp.queue.morning.documents import JobReport
from ctexp.queue.morning.outcome import FAILED
from ctexp.queue.orders import Orders
from ctexp.queue.state import Attempt, JobNow, Night
from ctexp.record import events
from ctexp.record.cross_validation import FOLDER, CrossValidation, CrossValidationDir
from ctexp.record.documents import printable
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import FOLDER as SWEEPS

_UNSEEN = "nobody saw its end: it was killed, or the machine went down"


def reports(queue: QueueDir, orders: Orders, night: Night, again: Collection[str]) -> list[JobReport]:
    """A report of each job, in the order of running; `again` are those that the next start takes up."""
    runs = Path(orders.runs)
    never, ruled_out = outcome.never_begun(orders, night), outcome.ruled_out(orders, night)
    told = (_report(queue, runs, night.jobs[job.id], (job.experiment, job.seed)) for job in orders.jobs)
    return [
        one.model_copy(
            update={
                "reason": never.get(one.job, one.reason),
                "again": one.job in again,
                "ruled_out": one.job in ruled_out,
            }
        )
        for one in told
    ]


def _report(queue: QueueDir, runs: Path, job: JobNow, of: tuple[str, int]) -> JobReport:
    last = job.attempts[-1] if job.attempts else None
    ends = [attempt.end for attempt in job.attempts if attempt.end]
    end = ends[-1] if ends else {}
    lost = job.state == "running"
    log = queue.output(f"{job.id}.{last.number}") if last else None
    return JobReport(
        job=job.id,
        experiment=of[0],
        seed=of[1],
        state="interrupted" if lost else job.state,
        kind="killed" if lost else job.kind,
        reason=_UNSEEN if lost else job.reason,
        attempts=len(job.attempts),
        earlier=tuple(_ended(attempt) for attempt in job.attempts[:-1]),
        run=job.run,
        fallback=last.fallback if last else None,
        seconds=round(sum(max(0.0, float(one.get("seconds") or 0)) for one in ends), 3),
        deviations=tuple(_deviations(job)),
        source_changed=any(one.get("source_changed") for one in ends),
        commit=end.get("commit"),
        dirty=end.get("dirty"),
        tracker=end.get("tracker"),
        metrics=_measurements(end.get("metrics") or {}),
        advice=tuple(_advice(runs, job) or unsaid.advice(job, log)) if job.state in FAILED else (),
        again=False,
        ruled_out=False,
        log=str(log.relative_to(queue.path)) if log and log.exists() else None,
    )


def _ended(attempt: Attempt) -> str:
    """`attempt 1 failed (oom): CUDA out of memory`."""
    end = attempt.end or {"state": "interrupted", "cause": "killed", "reason": _UNSEEN}
    kind = f" ({end['cause']})" if end.get("cause") else ""
    reason = f": {end['reason']}" if end.get("reason") else ""
    return f"attempt {attempt.number} {end['state']}{kind}{reason}"


def _deviations(job: JobNow) -> list[str]:
    """Those of its starts, and those that its runs have told of themselves; each once."""
    told = [
        *job.deviations,
        *(line for one in job.attempts if one.end for line in one.end.get("deviations") or ()),
    ]
    return list(dict.fromkeys(told))


def _measurements(metrics: dict[str, dict[str, float | None]]) -> dict[str, Measurement]:
    return {
        name: Measurement(value=its.get("value"), low=its.get("low"), high=its.get("high"))
        for name, its in metrics.items()
    }


def _advice(runs: Path, job: JobNow) -> list[str]:
    """What a failed run says to do about it: the hint of its error, and what it noticed while it learned."""
    lines: list[str] = []
    for run in trainings(runs, job.run) if job.run else ():
        result = run.read().result
        if result is None or result.state == "finished":  # of a cross-validation, other folds have failed
            continue
        if result.error is not None and result.error.hint:
            lines.append(" ".join(result.error.hint.split()))
        lines += health(run)
    return list(dict.fromkeys(lines))


def trainings(runs: Path, run_id: str) -> list[RunDir]:
    """The run of that id, the folds of the cross-validation, the trials of the sweep, if they are there."""
    if (runs / SWEEPS / run_id).is_dir():
        trials = [RunDir(path) for path in sorted(runs.glob(f"{run_id.rsplit('_', 2)[0]}-t*_*_*"))]
        return [one for one in trials if (about := one.read().manifest) and about.origin.parent == run_id]
    ids: Iterable[str | None] = [run_id]
    if (runs / FOLDER / run_id).is_dir():
        try:
            record = CrossValidation.read(CrossValidationDir(runs / FOLDER / run_id).record)
        except CtexpError:
            return []
        ids = (fold.run_id for fold in record.members)
    return [RunDir(runs / one) for one in ids if one and (runs / one).is_dir()]


def health(run: RunDir) -> list[str]:
    """What was wrong with a training until its end, with one thing to do about each."""
    try:
        told = events.read(run.events).events
    except CtexpError:
        return []
    return [
        printable(f"epoch {event.get('epoch')}: {event.get('message')} -> {event.get('advice')}")
        for event in unresolved(told).values()
    ]
