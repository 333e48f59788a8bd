"""What `queue-status` and `queue-watch` show of a queue."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ctexp.core import clock
from ctexp.queue.looking.job_status import JobLook
from ctexp.queue.looking.status import Look

_GIB = 1024**3
_COLOURS = {"running": "cyan", "done": "green", "failed": "red", "timeout": "red", "interrupted": "yellow"}
_LEFT = {"job", "state", "what"}


def picture(now: Look, rows: int | None = None) -> RenderableType:
    """The queue, the machine, and a line for each job.

    Args:
        now: what is seen.
        rows: lines there are for all of it; jobs far from those that run are left out then. None for all.
    """
    head = [line for line in (_queue(now), _window(now), _totals(now), _machine(now)) if line]
    jobs = now.jobs if rows is None else _around(now.jobs, max(3, rows - len(head) - 2))
    left_out = len(now.jobs) - len(jobs)
    tail = [Text(f"{left_out} more jobs", style="dim")] if left_out else []
    return Group(*(Text(line) for line in head), _table(jobs), *tail)


def states(now: Look) -> list[str]:
    """A line for the queue and for each job that is not pending, without what changes all the time."""
    said = f"queue {now.queue} {now.state}{_ended(now)}"
    lines = [f"{job.id} {_state(job)}{_because(job)}" for job in now.jobs if job.state != "pending"]
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
        parts.append(f"opens {_at(now.opens)}")
    if now.left is not None:
        parts.append(f"closes {_at(now.closes)}, {clock.duration(max(0.0, now.left))} left")
    done = f"; done about {_at(now.ends)}, nine times of ten by {_at(now.ends_p90)}" if now.ends else ""
    return f"window {now.window}: {', '.join(parts)}{done}"


def _totals(now: Look) -> str:
    counted = [f"{count} {state}" for state, count in now.totals.items() if count and state != "jobs"]
    steps = [f"{name} {'ok' if code == 0 else f'exit {code}'}" for name, code in now.steps.items()]
    return f"{now.totals['jobs']} jobs: {', '.join(counted)}" + (
        f"; analysis: {', '.join(steps)}" if steps else ""
    )


def _machine(now: Look) -> str:
    disk = f"disk {now.disk_free / 1e9:.1f} GB free, {now.disk_reserve / 1e9:.1f} GB stay so"
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
    at = next((index for index, job in enumerate(jobs) if job.state in {"running", "pending"}), len(jobs))
    first = max(0, min(at - most // 3, len(jobs) - most))
    return jobs[first : first + most]


def _table(jobs: tuple[JobLook, ...]) -> Table:
    metric = next((job.metric["name"] for job in jobs if job.metric), "metric")
    table = Table(box=None, pad_edge=False)
    for heading in ("job", "state", "try", "epoch", "loss", metric, "time", "expected", "ends", "what"):
        wraps = heading == "what"
        table.add_column(heading, justify="left" if heading in _LEFT else "right", no_wrap=not wraps)
    for job in jobs:
        cells = (
            str(job.attempt or ""),
            _epoch(job),
            "" if job.loss is None else f"{job.loss:.3g}",
            _metric(job),
            "" if job.seconds is None else clock.duration(job.seconds),
            "" if job.expected is None else clock.duration(job.expected),
            _ends(job),
            _what(job),
        )
        state = Text(_state(job), style=_COLOURS.get(job.state, ""))
        table.add_row(Text(job.id), state, *(Text(cell) for cell in cells))
    return table


def _state(job: JobLook) -> str:
    return f"{job.state} ({job.kind})" if job.kind else job.state


def _epoch(job: JobLook) -> str:
    if job.epoch is None:
        return ""
    epoch = f"{job.epoch} of {job.epochs}" if job.epochs else str(job.epoch)
    return epoch if job.folds is None else f"{epoch}, fold {job.folds_done} of {job.folds}"


def _metric(job: JobLook) -> str:
    if job.metric is None or job.metric["value"] is None:
        return ""
    low, high = job.metric["low"], job.metric["high"]
    interval = "" if low is None or high is None else f" ({low:.2f}-{high:.2f})"
    return f"{job.metric['value']:.3f}{interval}"


def _ends(job: JobLook) -> str:
    """`23:10`, and after it when nine times of ten; a `!` where that is past the window."""
    if job.ends is None or job.ends_p90 is None:
        return ""
    return f"{_at(job.ends)}-{_at(job.ends_p90)}{'!' if job.fits is False else ''}"


def _what(job: JobLook) -> str:
    """Why it is as it is: the reason, what it waits for, how it departs from the plan."""
    parts = [job.reason, f"waits for {job.waits}" if job.waits else None, *job.deviations]
    if job.cancelled and job.state == "running":
        parts.append("dropped: it is being stopped")
    return "; ".join(part for part in parts if part)


def _because(job: JobLook) -> str:
    told = [f"attempt {job.attempt}"] if job.attempt > 1 else []
    told += [job.reason] if job.reason else []
    if job.state == "done" and (metric := _metric(job)):
        told.append(f"{job.metric['name'] if job.metric else ''} {metric}")
    return f": {', '.join(told)}" if told else ""


def _at(moment: str | None) -> str:
    """`23:10` by the clock on this wall, with the day where it is another one."""
    if moment is None:
        return ""
    then = datetime.fromisoformat(moment).astimezone()
    return f"{then:%H:%M}" if then.date() == datetime.now().astimezone().date() else f"{then:%a %H:%M}"
