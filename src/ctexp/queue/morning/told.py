"""The night on the screen: what `night.md` says, in plain lines."""

from collections.abc import Iterator

from ctexp.core.paths import shown
from ctexp.queue.folder import QueueDir
from ctexp.queue.morning.documents import NightReport
from ctexp.queue.morning.page import ruled_out, summary, trouble
from ctexp.queue.morning.text import plain

_MOST = 300  # characters of a line


def lines(night: NightReport, queue: QueueDir) -> Iterator[str]:
    """What happened, each hypothesis, what went wrong, how to go on."""
    first, *others = summary(night)
    yield plain(f"{night.plan}: {first}", _MOST)
    yield from (plain(said, _MOST) for said in others)
    for its in night.experiments:
        if its.outcome is not None:
            yield f"  {its.outcome.status:<10}  {plain(f'{its.experiment}: {its.outcome.said}', _MOST)}"
    yield from (f"  {plain(said, _MOST)}" for said in trouble(night))
    yield from (plain(f"  left out by the plan's own rules: {said}", _MOST) for said in ruled_out(night))
    if night.go_on:
        yield f"go on: {night.go_on}"
    yield f"the whole: {shown(queue.night_md)}"
