"""Which queue a start of a script means, and what is known of it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ctexp.core.errors import DataError, UsageError
from ctexp.core.files import sha256_file
from ctexp.core.names import did_you_mean
from ctexp.core.paths import shown
from ctexp.core.wording import some
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.journal import Damaged, Journal
from ctexp.queue.opening.options import Asked
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold


def meant(runs: Path, asked: Asked) -> QueueDir | None:
    """The queue to go on with: the newest with this plan and this script; None for a new one.

    Raises:
        DataError: `--resume`, and there is none of this plan.
    """
    if asked.fresh:
        return None
    there = list(reversed(queues(runs, asked.name)))
    if asked.resume:
        if not there:
            raise DataError(f"no queue of {asked.name} to go on with", "start one: leave --resume out")
        return there[0]
    versions = (asked.sha256, sha256_file(asked.script))
    return next((queue for queue in there if _versions(queue) == versions), None)


def _versions(queue: QueueDir) -> tuple[str, str] | None:
    try:
        return sha256_file(queue.plan), sha256_file(queue.script)
    except OSError:
        return None


def refuse_damaged(queue: QueueDir) -> None:
    """Put a damaged journal aside; the queue's lock is held.

    Raises:
        DataError: it was damaged. The next start makes it anew from the runs.
    """
    try:
        Journal(queue.journal).read()
    except Damaged as error:
        aside = queue.journal.with_name(f"{queue.journal.name}.damaged-{time.time_ns()}")
        queue.journal.rename(aside)
        raise DataError(
            [*error.problems, f"it lies in {shown(aside)} now"],
            "start the script again: it makes a new one from the runs of this queue; or --fresh",
        ) from error


def over(queue: QueueDir, only: Iterable[str]) -> Night | None:
    """A queue of which nothing is left to do; None where something is, or nobody saw its end.

    Args:
        queue: whose.
        only: what this start is asked for, empty for all: the night that comes back is of such a start,
            whatever the one before it was asked for.

    Raises:
        Damaged: its journal is.
    """
    try:
        orders = Orders.read(queue.orders)
    except DataError:
        return None
    night, asked = fold(orders, Journal(queue.journal).read()), jobs_meant(orders, only)
    if left_to_do(orders, night, only=asked):
        return None
    # An end that was not its own, by a signal or a full disk, left the analysis undone.
    closed = night.closes[-1] if night.closes else None
    own = closed is not None and closed["seq"] > night.began_at and closed["exit_code"] in {0, 12}
    return replace(night, begins=[*night.begins, {**closed, "only": asked}]) if closed and own else None


def was_killed(queue: QueueDir) -> bool:
    """Whether it has begun, nobody is at it, and nobody saw its end.

    Raises:
        DataError: its journal cannot be read.
    """
    told = [event["kind"] for event in Journal(queue.journal).read() if event["kind"] in {"begin", "close"}]
    return told[-1:] == ["begin"] and not queue.locks_held()


def jobs_meant(orders: Orders, only: Iterable[str]) -> list[str] | None:
    """The ids of jobs that ids of jobs or experiments mean, in the order of running; None for all.

    Raises:
        UsageError: some mean nothing; all are named.
    """
    words = list(only)
    if not words:
        return None
    known = {name for job in orders.jobs for name in (job.id, job.experiment)}
    if wrong := [word for word in words if word not in known]:
        hints = [f"--only {word}: no such job; {did_you_mean(word, known)}".rstrip("; ") for word in wrong]
        raise UsageError(hints)
    return [job.id for job in orders.jobs if job.id in words or job.experiment in words]


def refuse_without_needs(orders: Orders, night: Night, only: Sequence[str]) -> None:
    """Jobs that are asked for alone must not wait for others that are not over.

    Raises:
        UsageError: some do; each is told with what it waits for.
    """
    to_do = set(left_to_do(orders, night))
    wrong = []
    for job_id in only:
        waits = orders.job(job_id).waits_for
        others = [one.id for name in waits for one in orders.of(name) if one.id in to_do - set(only)]
        if others and job_id in to_do:
            wrong.append(f"--only {job_id}: it waits for {some(others)}, not over yet")
    if wrong:
        raise UsageError(wrong, "ask for those too, or for all")
