"""A journal without its beginning, made anew from the runs: each names the queue and the job it is of.

What it does say is kept: somebody may have dropped a job meanwhile, or an earlier attempt at this was killed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ctexp.planning.plan.jobs import Job, key_of
from ctexp.queue import ending, left
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import JobNow, fold


def rebuild(queue: QueueDir, orders: Orders) -> list[Event]:
    """Write down an attempt for each run that the queue has made and its journal does not know.

    What was only in the journal is lost: attempts that made no run, skips, decisions, what was dropped by
    hand. All but the last come about again.

    Returns:
        All events; where the beginning is there, they are left as they are.
    """
    runs, journal = Path(orders.runs), Journal(queue.journal)
    so_far = journal.read()
    if any(event["kind"] == "begin" for event in so_far):
        return so_far
    night = fold(orders, so_far)
    of_name: dict[tuple[str, str], set[str]] = {}
    for verb in {job.verb: job for job in orders.jobs}.values():
        for run in left.names(runs, verb):
            of_name.setdefault((verb.verb, run.rsplit("_", 2)[0]), set()).add(run)
    jobs = [(job, night.jobs[job.id]) for job in orders.jobs]
    events = [event for job, now in jobs for event in _attempts(queue, runs, job, now, of_name)]
    if not events:
        return so_far
    said = f"there was no journal: made from {len(events) // 2} runs of this queue"
    return [*so_far, *journal.extend([{"kind": "note", "text": said}, *events])]


def _attempts(
    queue: QueueDir, runs: Path, job: Job, now: JobNow, of_name: Mapping[tuple[str, str], set[str]]
) -> Iterator[Event]:
    names = _names(job)
    # Its runs alone are opened: those of other names cannot be of it.
    rest = set().union(*(of_name.get((job.verb, name), ()) for name in names))
    rest -= {one.run for one in now.attempts}
    found: list[str] = []
    while run := left.made(runs, job, queue.id, rest):
        found.insert(0, run)
        rest.discard(run)
    # What has finished was the last, also where the clock has been set back.
    told_by = sorted((left.look(runs, job, run) for run in found), key=lambda its: its.state == "finished")
    for number, its in enumerate(told_by, 1 + len(now.attempts)):
        attempt: Event = {"job": job.id, "attempt": number, "run": its.run}
        fallback = names[its.run.rsplit("_", 2)[0]]
        begun: Event = {"mode": "new", "fallback": fallback, "argv": [], "pid": None}
        told = ending.told(ending.of_record(its), None, None, its, {})
        yield {"kind": "start", **attempt, **begun, "limit_seconds": None, "deviations": []}
        yield {"kind": "end", **attempt, **told, "recovered": True}


def _names(job: Job) -> dict[str, str | None]:
    """The names of its runs, and the fallback each stands for."""
    words = (*job.common, *job.own, *job.fixed)
    name = [word.partition("=")[2] for word in words if key_of(word) == "run.name"][-1]
    return {name: None} | {f"{name}-{kind}": kind for kind in job.fallback}
