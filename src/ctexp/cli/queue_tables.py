"""What `queue-status` and `queue-watch` show of a queue."""

import textwrap
from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from ctexp.cli.queue_lines import at, lines_of, metric_of, state_of
from ctexp.core import clock
from ctexp.core.wording import many
from ctexp.queue.looking.job_status import JobLook
from ctexp.queue.looking.status import Look

_GIB = 1024**3


def picture(now: Look, width: int, rows: int | None = None) -> Text:
    """The queue, the machine, and each job; nothing of it is cut.

    Args:
        now: what is seen.
        width: of the screen; what does not fit beside a job stands below it.
        rows: lines there are for all of it; jobs far from those that run are left out then. None for all.
    """
    said = [line for line in (_queue(now), _window(now), *now.packing, _totals(now), _machine(now)) if line]
    head = [Text(line) for text in said for line in textwrap.wrap(text, width, subsequent_indent="  ")]
    most = len(now.jobs) if rows is None else max(3, rows - len(head) - 2)
    while True:
        jobs = _around(now.jobs, most)
        lines = [*head, *lines_of(jobs, width), *_tail(now, jobs, width)]
        if rows is None or len(lines) <= rows or most <= 1:
            return Text("\n", no_wrap=False, overflow="fold").join(lines)
        most -= 1


def _tail(now: Look, jobs: Sequence[JobLook], width: int) -> list[Text]:
    """What the marks of a table mean, and how many jobs are not in it."""
    told = []
    if any(job.fits is False for job in jobs):
        told.append(
            f"! may end after the window, which closes {at(now.closes)}: a job that runs stops then on a "
            "checkpoint, one that would not be done by then is not begun"
        )
    if left_out := len(now.jobs) - len(jobs):
        told.append(many(left_out, "more job"))
    return [Text(line, style="dim") for text in told for line in textwrap.wrap(text, width)]


def states(now: Look) -> list[str]:
    """A line for the queue and for each job that is not pending, without what changes all the time."""
    said = f"queue {now.queue} {now.state}{_ended(now)}"
    lines = [f"{job.id} {state_of(job)}{_because(job)}" for job in now.jobs if job.state != "pending"]
    return [*lines, said]


def _queue(now: Look) -> str:
    who = f" (pid {now.pid})" if now.pid is not None else ""
    if now.pid is None and now.holders:
        who = f" ({'; '.join(now.holders)})"
    beat = f", last sign of life {clock.duration(now.beat_age)} ago" if now.beat_age is not None else ""
    gone_on = "" if now.state != "interrupted" else ": nobody is at it; start its script again to go on"
    return f"{now.queue}  {now.state}{_ended(now)}{who}{'' if now.state == 'ended' else beat}{gone_on}"


def _ended(now: Look) -> str:
    if now.exit_code is None or now.state != "ended":
        return ""
    return f": exit {now.exit_code}{f', {now.ended}' if now.ended else ''}"


def _window(now: Look) -> str:
    if now.state not in {"running", "waiting"} or not now.closes:
        return ""
    parts = []
    if now.state == "waiting" and now.opens:
        parts.append(f"opens {at(now.opens)}")
    if now.left is not None:
        parts.append(f"closes {at(now.closes)}, {clock.duration(max(0.0, now.left))} left")
    return f"window {now.window}: {', '.join(parts)}{_done(now)}"


def _done(now: Look) -> str:
    """When all will be done; where that is after the window, how long it would take."""
    if now.ends is None or now.ends_p90 is None or now.closes is None:
        return ""
    late = datetime.fromisoformat(now.ends) > datetime.fromisoformat(now.closes)
    said = "all of it would take until" if late else "done"
    return f"; {said} about {at(now.ends)}, nine times of ten by {at(now.ends_p90)}"


def _totals(now: Look) -> str:
    counted = [f"{count} {state}" for state, count in now.totals.items() if count and state != "jobs"]
    steps = [f"{name} {'ok' if code == 0 else f'exit {code}'}" for name, code in now.steps.items()]
    if now.state == "running" and not any(job.to_come for job in now.jobs):
        steps.append("under way")
    return f"{many(now.totals['jobs'], 'job')}: {', '.join(counted)}" + (
        f"; analysis: {', '.join(steps)}" if steps else ""
    )


def _machine(now: Look) -> str:
    disk = f"disk {now.disk_free / 1e9:.1f} GB free, {now.disk_reserve / 1e9:.1f} GB reserved"
    if now.gpu is None:
        return disk
    told = [now.gpu["name"]]
    if now.gpu["temperature"] is not None:
        told.append(f"{now.gpu['temperature']} °C")
    if now.gpu["memory_used"] is not None:
        told.append(f"{now.gpu['memory_used'] / _GIB:.1f} of {now.gpu['memory_total'] / _GIB:.1f} GiB")
    if now.gpu["utilisation"] is not None:
        told.append(f"{now.gpu['utilisation']} %")
    return f"{disk}; {', '.join(told)}"


def _around(jobs: tuple[JobLook, ...], most: int) -> tuple[JobLook, ...]:
    """So many jobs about where the queue is: a third of them over, if there are so many."""
    now = next((index for index, job in enumerate(jobs) if job.state in {"running", "pending"}), len(jobs))
    first = max(0, min(now - most // 3, len(jobs) - most))
    return jobs[first : first + most]


def _because(job: JobLook) -> str:
    told = [f"attempt {job.attempt}"] if job.attempt > 1 else []
    told += [job.reason] if job.reason else []
    if job.state == "done" and (metric := metric_of(job)):
        told.append(f"{job.metric['name'] if job.metric else ''} {metric}")
    return f": {', '.join(told)}" if told else ""
