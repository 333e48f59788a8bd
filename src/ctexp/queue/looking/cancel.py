"""To drop a job: written into the journal, and heeded by whoever runs the queue."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.looking.waiting import OVER, dependents
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold


@dataclass(frozen=True)
class Dropped:
    """What was done.

    Attributes:
        running: the job was under way: it is stopped on a checkpoint, by whoever runs the queue.
        dependents: jobs that wait for its experiment, however indirectly.
    """

    job: str
    running: bool
    dependents: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def drop(queue: QueueDir, job_id: str, *, by: str) -> Dropped:
    """Drop a job of a queue.

    Args:
        queue: whose job.
        job_id: its id.
        by: who wants it.

    Raises:
        UsageError: it is over already.
        DataError: there is no such job, or the queue cannot be read.
    """
    orders = Orders.read(queue.orders)
    ids = [job.id for job in orders.jobs]
    if job_id not in ids:
        raise DataError(f"queue {queue.id} has no job {job_id!r}", did_you_mean(job_id, ids))
    running = False

    def check(so_far: Sequence[Event]) -> None:
        nonlocal running
        job = fold(orders, so_far).jobs[job_id]
        if job.cancelled:
            raise UsageError(f"{job_id} is dropped already")
        if job.state in OVER:
            why = f" ({job.reason})" if job.reason else ""
            raise UsageError(f"{job_id} is over: {job.state}{why}", "there is nothing left to drop")
        running = job.open is not None

    Journal(queue.journal).append("cancel", check=check, job=job_id, by=by)
    waiting = dependents(orders, orders.job(job_id).experiment)
    return Dropped(job_id, running, tuple(waiting))
