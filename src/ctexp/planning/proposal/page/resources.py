"""Section 4: hours, memory, disk, when the night will be over."""

import re
from collections.abc import Iterator, Sequence

from ctexp.core import clock
from ctexp.core.wording import many
from ctexp.planning.estimates import disk, memory
from ctexp.planning.proposal.page.markdown import bullets, table
from ctexp.planning.proposal.page.night import Night
from ctexp.planning.schedule.costs import bound
from ctexp.planning.schedule.schedule import Entry


def section(night: Night) -> Iterator[str]:
    """Its lines."""
    schedule, name = night.proposal.schedule, night.plan.name
    yield from ("## 4. Resource estimates", "")
    yield (
        "Two figures each: half of such nights take less than the first (p50), nine of ten less than the "
        f"second (p90). Times are counted from the start of the night. `scripts/inv plan-check {name}` works "
        "them out again with the newest measurements."
    )
    yield ""
    yield from table(["", "p50", "p90"], list(_totals(night)))
    if unknown := schedule.totals.unknown:
        counted = "" if unknown == schedule.totals.fitting else ", and nothing is counted for it above"
        yield (
            f"**What {many(unknown, 'job')} will take is not known**: nothing of the kind was trained often "
            f"enough, or timed, on this machine{counted}. With what was guessed "
            f"the night takes {night.device_time}, and is over {night.finish} after its start. "
            f"`scripts/inv plan-check {name} --measure` times them in some minutes."
        )
        yield ""
    kept = clock.duration(schedule.grace_seconds + schedule.analysis_seconds)
    yield (
        f"The window is `{night.plan.window}`. "
        f"Its last {kept} are kept: a job that still runs then is stopped, and can be gone on with; then the "
        f"analysis is done. {night.plan.reserve.disk} of the disk stay free."
    )
    yield ""
    entries: dict[str, list[Entry]] = {}
    for job in night.jobs:
        entries.setdefault(job.experiment, []).append(night.entries[job.id])
    if schedule.totals.unknown == schedule.totals.fitting:
        entries = {}  # a table of nothing but unknowns tells less than the sentence above
    yield from table(
        ["Experiment", "Jobs", "p50 each", "p90 each", "Memory", "Disk each", "Begins after", "Fits"],
        [_row(night, experiment, its) for experiment, its in entries.items()],
    )
    if likely := dict.fromkeys(one.why for its in entries.values() for one in its if one.fits == "likely"):
        yield f"`likely`: it fits {_unless(tuple(likely))}."
        yield ""
    if said := [*schedule.problems, *night.proposal.warnings]:
        yield "What the check of the plan warns of:"
        yield ""
        yield from bullets([_without_place(line) for line in said])


def _unless(reasons: Sequence[str]) -> str:
    """Why it is not certain that a job fits."""
    slow = [why for why in reasons if why.startswith("unless")]
    unknown = (
        ["as far as is known, for what it or one before it costs is not"] if len(slow) < len(reasons) else []
    )
    return "; or ".join([*slow, *unknown])


def _totals(night: Night) -> Iterator[tuple[str, str, str]]:
    schedule = night.proposal.schedule
    totals, device = schedule.totals, "GPU" if schedule.totals.on_gpu else "Processor"
    completion = "Completion, with the analysis, after"
    if totals.unknown == totals.fitting:  # zeros would look like figures
        yield f"{device} hours", f"about {_hours(night.guessed / 3600)}, a guess", "unknown"
        yield completion, f"{night.finish}, a guess", "unknown"
        yield "Disk", "unknown", "unknown"
        return
    least = "at least " if totals.unknown else ""
    yield (
        f"{device} hours",
        f"{least}{_hours(totals.device_hours)}",
        f"{least}{_hours(totals.device_hours_p90)}",
    )
    finish, finish_p90 = (
        clock.duration((moment - schedule.opens).total_seconds())
        for moment in (totals.finish, totals.finish_p90)
    )
    yield completion, f"{least}{finish}", f"{least}{finish_p90}"
    yield "Disk", f"{least}{disk(totals.disk_bytes)}", f"{least}{disk(totals.disk_bytes_p90)}"
    if totals.memory_bytes is not None:
        most = totals.memory_bytes_p90 or totals.memory_bytes
        device = "GPU memory" if totals.on_gpu else "Memory"
        yield f"{device}, at most", memory(totals.memory_bytes), memory(most)


def _hours(hours: float) -> str:
    """`1.4 (1 h 24 min)`."""
    return f"{hours:.1f} ({clock.duration(3600 * hours)})"


def _row(night: Night, experiment: str, entries: Sequence[Entry]) -> tuple[str, ...]:
    first = entries[0]
    cost = first.cost
    figures = (
        (
            clock.duration(cost.seconds),
            clock.duration(bound(cost)),
            "" if cost.memory_bytes is None else memory(cost.memory_bytes),
            "" if cost.disk_bytes is None else disk(cost.disk_bytes),
        )
        if cost
        else ("unknown", "", "", "")
    )
    begins = night.after(first) + ("" if first.certain else " or later")
    fits = dict.fromkeys(f"{one.fits}: {one.why}" if one.fits == "no" else one.fits for one in entries)
    return (f"`{experiment}`", str(len(entries)), *figures, begins, "; ".join(fits))


def _without_place(line: str) -> str:
    """A warning without the file it is about: that is the plan of this page."""
    return re.sub(r"^\S+\.yaml:\d+: (experiments\.)?", "", line)
