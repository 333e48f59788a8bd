"""The jobs of a queue as lines that fit a screen: a table, and below each job what has no room in it."""

import textwrap
from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from ctexp.core import clock
from ctexp.core.wording import many
from ctexp.queue.looking.job_status import JobLook

_COLOURS = {"running": "cyan", "done": "green", "failed": "red", "timeout": "red", "interrupted": "yellow"}
_FLUSH_LEFT = ("job", "state")
_LESS_ASKED_FOR = ("expected", "loss", "try", "time", "epoch", "metric", "ends")
"""Columns that go below each job where the screen is narrow, in this order."""


def lines_of(jobs: Sequence[JobLook], width: int) -> list[Text]:
    """A heading and the jobs, no line wider than `width` unless a job's id is."""
    metric = next((job.metric["name"] for job in jobs if job.metric), "metric")
    names = {"metric": metric}
    rows = [_cells(job) for job in jobs]
    whats = [_what(job) for job in jobs]
    headings = list(rows[0]) if rows else list(_FLUSH_LEFT)
    widths = {
        heading: max([len(names.get(heading, heading)), *(len(row[heading]) for row in rows)])
        for heading in headings
    }
    beside = _taken(widths) + 2 + max(map(len, whats), default=0) <= width
    below: list[str] = []
    for heading in _LESS_ASKED_FOR:
        if _taken(widths) <= width:
            break
        if widths.pop(heading, None) is not None:
            below.append(heading)

    def line(cells: Sequence[str], what: str) -> str:
        padded = (
            cell.ljust(room) if heading in _FLUSH_LEFT else cell.rjust(room)
            for cell, (heading, room) in zip(cells, widths.items(), strict=True)
        )
        return "  ".join((*padded, what)).rstrip()

    lines = [Text(line([names.get(one, one) for one in widths], "what" if beside else ""), style="bold")]
    for job, row, what in zip(jobs, rows, whats, strict=True):
        text = Text(line([row[heading] for heading in widths], what if beside else ""))
        text.stylize(_COLOURS.get(job.state, ""), widths["job"] + 2, widths["job"] + 2 + len(row["state"]))
        lines.append(text)
        more = [f"{names.get(one, one)} {row[one]}" for one in reversed(below) if row[one]]
        told = ", ".join(more) + ("; " if more and what else "") + what
        if not beside and told:
            lines += map(Text, textwrap.wrap(told, width, initial_indent="    ", subsequent_indent="    "))
    return lines


def state_of(job: JobLook) -> str:
    """Its state, and why where that has a word."""
    return f"{job.state} ({job.kind})" if job.kind else job.state


def metric_of(job: JobLook) -> str:
    """`0.712 (0.65-0.77)`, the interval where there is one."""
    if job.metric is None or job.metric["value"] is None:
        return ""
    low, high = job.metric["low"], job.metric["high"]
    interval = "" if low is None or high is None else f" ({low:.2f}-{high:.2f})"
    return f"{job.metric['value']:.3f}{interval}"


def at(moment: str | None) -> str:
    """`23:10` by the clock on this wall, with the day where it is another one."""
    if moment is None:
        return ""
    then = datetime.fromisoformat(moment).astimezone()
    return f"{then:%H:%M}" if then.date() == datetime.now().astimezone().date() else f"{then:%a %H:%M}"


def _taken(widths: dict[str, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)


def _cells(job: JobLook) -> dict[str, str]:
    return {
        "job": job.id,
        "state": state_of(job),
        "try": str(job.attempt or ""),
        "epoch": _epoch(job),
        "loss": "" if job.loss is None else f"{job.loss:.3g}",
        "metric": metric_of(job),
        "time": "" if job.seconds is None else clock.duration(job.seconds),
        "expected": "" if job.expected is None else clock.duration(job.expected),
        "ends": _ends(job),
    }


def _epoch(job: JobLook) -> str:
    if job.trials is not None:
        return many(job.trials, "trial")
    if job.epoch is None:
        return ""
    epoch = f"{job.epoch} of {job.epochs}" if job.epochs else str(job.epoch)
    return epoch if job.folds is None else f"{epoch}, fold {job.folds_done} of {job.folds}"


def _ends(job: JobLook) -> str:
    """`23:10`, and after it when nine times of ten; a `!` where that is past the window."""
    if job.ends is None or job.ends_p90 is None:
        return ""
    return f"{at(job.ends)}-{at(job.ends_p90)}{'!' if job.fits is False else ''}"


def _what(job: JobLook) -> str:
    """Why it is as it is: the reason, what it waits for, how it departs from the plan."""
    on = f"on {job.device}" if job.device and job.state == "running" else None
    parts = [on, job.reason, f"waits for {job.waits}" if job.waits else None, *job.deviations]
    if job.cancelled and job.state == "running":
        parts.append("dropped: it is being stopped")
    return "; ".join(part for part in parts if part)
