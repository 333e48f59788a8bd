"""Attempts that nobody saw end get their end, by what their runs say of themselves."""

import time
from pathlib import Path

from ctexp.core.errors import Busy
from ctexp.core.locks import FileLock
from ctexp.planning.plan.jobs import Job
from ctexp.queue import ending, left
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import Attempt, JobNow, Night, one_end

_LONGER_THAN_GRACE = 10.0
"""Seconds that a program which was told to stop may take beyond the grace it has for its checkpoint."""


def settle(queue: QueueDir, orders: Orders, night: Night) -> list[Event]:
    """Write down the end of every attempt that has none; nobody may be at work on them any more.

    Raises:
        Busy: a training that was told to stop is still there.
    """
    journal, first = Journal(queue.journal), night.begins[0] if night.begins else {}
    written = []
    for job in night.jobs.values():
        if (attempt := job.open) is None:
            continue
        planned = orders.job(job.id)
        run = _run_of(queue, orders, planned, job, attempt)
        _wait_for(orders, planned, run)
        found = left.look(Path(orders.runs), planned, run).since(attempt.start.get("mark")) if run else None
        end = ending.of_record(found, shortened=job.shortened)
        fields = ending.told(end, None, None, found, first)
        written.append(
            journal.append(
                "end",
                check=one_end(job.id, attempt.number),
                job=job.id,
                attempt=attempt.number,
                **fields,
                recovered=True,
            )
        )
    return written


def _run_of(queue: QueueDir, orders: Orders, planned: Job, job: JobNow, attempt: Attempt) -> str | None:
    """The run it went on with, or the one it has made."""
    if attempt.run is not None:
        return attempt.run
    runs = Path(orders.runs)
    before = {one.run for one in job.attempts if one.run}
    return left.made(runs, planned, queue.id, left.names(runs, planned) - before)


def _wait_for(orders: Orders, planned: Job, run: str | None) -> None:
    """A training whose runner died has been told to stop by the kernel, and writes its checkpoint."""
    if run is None:
        return
    locks = [FileLock(path / "lock", path.name) for path in _trainings(Path(orders.runs), planned, run)]
    until = time.monotonic() + orders.grace_seconds + _LONGER_THAN_GRACE
    while held := [lock for lock in locks if lock.is_held()]:
        if time.monotonic() > until:
            at_work = "; ".join(f"{lock.path.parent.name} is still at work: {lock.holder()}" for lock in held)
            raise Busy(at_work, "stop it, then start the script again")
        time.sleep(0.2)


def _trainings(runs: Path, planned: Job, run: str) -> list[Path]:
    """What holds a lock while it is at work: a run, a cross-validation; of a sweep each of its trials."""
    if not planned.is_sweep:
        return [left.folder(runs, planned) / run]
    name, stamp, _ = run.rsplit("_", 2)
    return [path for path in runs.glob(f"{name}-t*_*_*") if path.name.rsplit("_", 2)[1] >= stamp]
