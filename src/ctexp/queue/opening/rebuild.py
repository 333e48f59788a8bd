"""A journal that is gone, made anew from the runs: each names the queue and the job it belongs to."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ctexp.planning.plan.jobs import Job, key_of
from ctexp.queue import ending, left
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders


def rebuild(queue: QueueDir, orders: Orders) -> list[Event]:
    """Write down an attempt for each run that the queue has made; what was only in the journal is lost.

    That is: attempts that made no run, skips, decisions, what was dropped by hand. All but the last come
    about again.
    """
    runs = Path(orders.runs)
    of_name: dict[tuple[str, str], set[str]] = {}
    for verb in {job.verb: job for job in orders.jobs}.values():
        for run in left.names(runs, verb):
            of_name.setdefault((verb.verb, run.rsplit("_", 2)[0]), set()).add(run)
    events = [event for job in orders.jobs for event in _attempts(queue, runs, job, of_name)]
    if not events:
        return []
    said = f"there was no journal: made from {len(events) // 2} runs of this queue"
    return Journal(queue.journal).extend([{"kind": "note", "text": said}, *events])


def _attempts(
    queue: QueueDir, runs: Path, job: Job, of_name: Mapping[tuple[str, str], set[str]]
) -> Iterator[Event]:
    names = _names(job)
    # Its runs alone are opened: those of other names cannot be of it.
    rest = set().union(*(of_name.get((job.verb, name), ()) for name in names))
    found: list[str] = []
    while run := left.made(runs, job, queue.id, rest):
        found.insert(0, run)
        rest.discard(run)
    for number, run in enumerate(found, 1):
        its = left.look(runs, job, run)
        attempt: Event = {"job": job.id, "attempt": number, "run": run}
        begun: Event = {"mode": "new", "fallback": names[run.rsplit("_", 2)[0]], "argv": [], "pid": None}
        told = ending.told(ending.of_record(its), None, None, its, {})
        yield {"kind": "start", **attempt, **begun, "limit_seconds": None, "deviations": []}
        yield {"kind": "end", **attempt, **told, "recovered": True}


def _names(job: Job) -> dict[str, str | None]:
    """The names of its runs, and the fallback each stands for."""
    words = (*job.common, *job.own, *job.fixed)
    name = [word.partition("=")[2] for word in words if key_of(word) == "run.name"][-1]
    return {name: None} | {f"{name}-{kind}": kind for kind in job.fallback}
