"""What `plan-check` prints of a night: a line a job, and what all of them take."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ctexp.core import clock
from ctexp.core.wording import many
from ctexp.planning.estimates import disk, memory
from ctexp.planning.schedule.costs import bound
from ctexp.planning.schedule.lanes import is_shared_out
from ctexp.planning.schedule.schedule import Entry, Schedule, Totals

_DAY = timedelta(days=1)


def print_schedule(found: Schedule) -> None:
    """The window, every job in its place, the totals."""
    opens, closes = (moment.astimezone().strftime("%a %H:%M") for moment in (found.opens, found.closes))
    what = " and ".join(
        said
        for seconds, said in ((found.grace_seconds, "to stop a job"), (found.analysis_seconds, "to analyse"))
        if seconds
    )
    kept = f", the last {clock.duration(found.grace_seconds + found.analysis_seconds)} kept {what}"
    print(f"window {found.window}: {opens} to {closes}{kept if what else ''}\n")
    days = found.closes - found.opens > _DAY
    placed = is_shared_out(found.devices)
    memory_of = "memory (p90)" if placed else "memory"
    headings = ["job", "p50", "p90", memory_of, "disk", "begins", "fits"]
    rows = [headings, *(_row(entry, days, placed) for entry in found.entries)]
    for line in _aligned(rows):
        print(line)
    print()
    for line in _totals(found):
        print(line)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of equal columns, the first and the last flush left.

    A thousand rows take rich's tables a third of a second, a tenth of what checking so many jobs does.
    """
    *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    for first, *figures, last in rows:
        cells = (figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells, last)).rstrip()


def _row(entry: Entry, days: bool, placed: bool) -> list[str]:
    cost = entry.cost
    if cost is None:
        figures = ["unknown", "", "", ""]
    else:
        taken = entry.need_bytes if placed else cost.memory_bytes
        figures = [
            clock.duration(cost.seconds),
            clock.duration(bound(cost)),
            "" if taken is None else memory(taken),
            "" if cost.disk_bytes is None else disk(cost.disk_bytes),
        ]
    fits = f"{entry.fits}: {entry.why}" if entry.why else entry.fits
    return [entry.job, *figures, _begins(entry, days), fits]


def _begins(entry: Entry, days: bool) -> str:
    if entry.begins is None:
        return ""
    said = _clock(entry.begins, days)
    return said if entry.certain else f"≥ {said}"


def _totals(found: Schedule) -> list[str]:
    totals = found.totals
    days = found.closes - found.opens > _DAY
    left = totals.jobs - totals.fitting
    held = (
        f"{totals.fitting} of {many(totals.jobs, 'job')} fit"
        if left
        else f"{many(totals.jobs, 'job')}, all fit"
    )
    unknown = totals.unknown
    whose = "they" if unknown == totals.fitting else f"{unknown} of them"
    doubt = f" as far as is known; what {whose} cost is not: see --measure" if unknown else ""
    if unknown and unknown == totals.fitting:  # zeros would look like figures
        nothing = {"jobs": f"{held}{doubt}", f"{'GPU' if totals.on_gpu else 'CPU'} hours": "unknown"}
        return _named(nothing | {"finish": "unknown", "disk": f"unknown, {_free(totals)}"})
    least = "at least " if unknown else ""
    hours = f"{least}{totals.device_hours:.1f} (p90 {totals.device_hours_p90:.1f})"
    finish = f"{least}{_clock(totals.finish, days)} (p90 {_clock(totals.finish_p90, days)})"
    spread = f"{least}{disk(totals.disk_bytes)} (p90 {disk(totals.disk_bytes_p90)})"
    lines = {
        "jobs": f"{held}{doubt}",
        f"{'GPU' if totals.on_gpu else 'CPU'} hours": hours,
        "finish": finish,
        "disk": f"{spread} of {_free(totals)}",
    }
    begun = (entry for entry in found.entries if entry.fits != "no")
    needs = [entry.need_bytes for entry in begun if entry.need_bytes is not None]
    if needs:
        lines["memory"] = f"up to {memory(max(needs))} (p90)"
    elif totals.memory_bytes is not None:
        has = f" of {memory(totals.gpu_bytes)}" if totals.on_gpu and totals.gpu_bytes else ""
        lines[f"{'GPU ' if totals.on_gpu else ''}memory"] = f"up to {memory(totals.memory_bytes)}{has}"
    return _named(lines)


def _named(lines: Mapping[str, str]) -> list[str]:
    return [f"{name:<12}{text}" for name, text in lines.items()]


def _free(totals: Totals) -> str:
    return f"{disk(totals.free_bytes)} free, {disk(totals.reserve_bytes)} of them reserved"


def _clock(moment: datetime, days: bool) -> str:
    """By the clock on the wall here; with the day where the window is longer than one."""
    return moment.astimezone().strftime("%a %H:%M" if days else "%H:%M")
