"""What a queue is doing: one look at its folder, the runs and the machine, at once and changing nothing.

`Look.document()` is what `inv queue-status --json` prints; its keys are the attributes below, some with
their unit, and stay.
"""

import contextlib
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psutil

from ctexp.core import clock, gpu_reading
from ctexp.core.locks import FileLock
from ctexp.queue.array import in_line, said_of
from ctexp.queue.deciding.packed import packing
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Damaged, Event, Journal, uptime
from ctexp.queue.looking.job_status import JobLook, look_at_jobs, moment
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold

QueueState = Literal["waiting", "running", "ended", "interrupted"]
"""`waiting` for its window, or for the cluster; `interrupted`: nobody is at it, and nobody saw it end."""

STATES = ("pending", "running", "done", "failed", "timeout", "skipped", "interrupted")


@dataclass(frozen=True)
class Look:
    """A queue as it is now.

    Attributes:
        state: of the queue; see `QueueState`.
        pid: of the script that is at it; None where nobody is. `host` is where it was begun.
        holders: who is at it, in words, also where only a child of a dead script is left; of an array, all
            tasks.
        beat: the last sign of life; `beat_age` seconds ago.
        window: as the plan says it; it opens and closes then, `left` seconds from now.
        ends: when all will be done, `ends_p90` nine times of ten; None where that cannot be told.
        exit_code: how it ended; None while it has not. `ended` says why in words.
        disk_free: bytes, where runs are written; `disk_reserve` stays free.
        gpu: name, uuid, temperature, memory_used, memory_total, utilisation; None where there is none.
        totals: jobs by state, and `jobs`, all of them.
        steps: exit codes of the analysis, by step.
        problems: what cannot be read, one line each.
        packing: which jobs come first or are left out to make the most of the window, and why, one line each.
    """

    queue: str
    plan: str
    plan_file: str
    path: str
    mode: str
    state: QueueState
    pid: int | None
    host: str | None
    holders: tuple[str, ...]
    begun: str | None
    beat: str | None
    beat_age: float | None
    window: str
    opens: str | None
    closes: str | None
    left: float | None
    ends: str | None
    ends_p90: str | None
    exit_code: int | None
    ended: str | None
    disk_free: int
    disk_reserve: int
    gpu: Mapping[str, Any] | None
    totals: Mapping[str, int]
    steps: Mapping[str, int | None]
    jobs: tuple[JobLook, ...]
    problems: tuple[str, ...]
    packing: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Plain JSON values; those whose names say no unit stand there a second time, with it."""
        units = {"left": "seconds", "beat_age": "seconds", "disk_free": "bytes", "disk_reserve": "bytes"}
        said = vars(self)
        in_units = {f"{name}_{unit}": said[name] for name, unit in units.items()}
        return {**said, "jobs": [job.document() for job in self.jobs], **in_units}


def look(queue: QueueDir) -> Look:
    """Look at a queue.

    Raises:
        DataError: what it has to do, or its journal, cannot be read at all.
    """
    orders = Orders.read(queue.orders)
    held = queue.locks_held()
    events, problems = _events(queue)
    night = fold(orders, events)
    begin = night.begins[-1] if night.begins else {}
    close = night.closes[-1] if night.closes and night.closes[-1]["seq"] > night.began_at else {}
    now = clock.now()
    closes = moment(begin.get("closes"))
    array = begin.get("array") if held or not close else None
    line = in_line(array) if array else {}
    unseen = {job.id for job in night.jobs.values() if job.open}
    state = _state(bool(held), begin, close, now, to_come=line is None or bool(line))
    jobs = look_at_jobs(
        queue,
        orders,
        night,
        now=now,
        uptime=uptime() if held or not events else events[-1]["uptime"],
        closes=closes,
        alive=bool(held),
        at_work=state in {"running", "waiting"},
        said=said_of(orders, array, line, unseen) if array and line is not None else {},
    )
    ends, ends_p90 = _whole(jobs)
    beat = _beat(queue)
    reading = gpu_reading.read(orders.gpu_uuid) if orders.device == "cuda" else None
    return Look(
        queue=queue.id,
        plan=orders.plan,
        plan_file=orders.plan_file,
        path=str(queue.path),
        mode=orders.mode,
        state=state,
        pid=begin.get("pid") if held and orders.mode == "local" and _lives(begin.get("pid")) else None,
        host=begin.get("host"),
        holders=_holders(held, events),
        begun=night.begins[0]["time"] if night.begins else None,
        beat=clock.iso(beat) if beat else None,
        beat_age=_seconds(now - beat) if beat else None,
        window=orders.window,
        opens=begin.get("opens"),
        closes=begin.get("closes"),
        left=_seconds(closes - now) if closes else None,
        ends=ends,
        ends_p90=ends_p90,
        exit_code=close.get("exit_code"),
        ended=close.get("reason"),
        disk_free=shutil.disk_usage(queue.path).free,
        disk_reserve=orders.disk_reserve_bytes,
        gpu=asdict(reading) if reading else None,
        totals={"jobs": len(jobs), **dict.fromkeys(STATES, 0), **Counter(job.state for job in jobs)},
        steps={name: event.get("exit_code") for name, event in night.steps.items()},
        jobs=jobs,
        problems=tuple(problems),
        packing=tuple(packing(orders, night)),
    )


def _events(queue: QueueDir) -> tuple[list[Event], list[str]]:
    """What happened, as far as it can be read, and what cannot."""
    journal = Journal(queue.journal)
    try:
        return journal.read(), []
    except Damaged as error:
        return journal.salvaged(), [f"{error}; what follows is all that can be read of it"]


def _holders(held: Sequence[FileLock], events: Sequence[Event]) -> tuple[str, ...]:
    """Who is at it; tasks are told by where they run, since their pids mean nothing here."""
    nodes = {event["task"]: event.get("host") for event in events if event["kind"] == "task"}
    return tuple(
        f"{lock.path.stem} on {nodes[lock.path.stem]}" if lock.path.stem in nodes else lock.holder()
        for lock in held
    )


def _state(alive: bool, begin: Event, close: Event, now: datetime, *, to_come: bool) -> QueueState:
    opens = moment(begin.get("opens"))
    if close and not alive:
        return "ended"
    if alive:
        return "waiting" if opens and opens > now else "running"
    # Between two tasks of an array nobody is at work, and the cluster is still to start the next.
    return "waiting" if to_come else "interrupted"


def _whole(jobs: Sequence[JobLook]) -> tuple[str | None, str | None]:
    """When the last job that is to come will have ended, where that is known of every one."""
    ends = [(job.ends, job.ends_p90) for job in jobs if job.to_come]
    likely, late = ([end for end in some if end] for some in zip(*ends, strict=True)) if ends else ([], [])
    return (max(likely), max(late)) if len(late) == len(ends) and ends else (None, None)


def _beat(queue: QueueDir) -> datetime | None:
    """The last sign of life: of an attempt, or a line in the journal."""
    seen = []
    for path in (*queue.path.glob("beats/*"), queue.journal):
        with contextlib.suppress(OSError):
            seen.append(path.stat().st_mtime)
    return datetime.fromtimestamp(max(seen), UTC) if seen else None


def _lives(pid: Any) -> bool:
    return isinstance(pid, int) and psutil.pid_exists(pid)


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 1)
