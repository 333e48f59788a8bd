"""A night filled: the best first, as long as there is room; and why each other one is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ctexp.core import clock, durations
from ctexp.planning.plan import window as windows
from ctexp.planning.proposal.candidates import Candidate
from ctexp.planning.proposal.documents import LeftOut

MOST = 6
"""Changes that one night compares: each further one makes all of them harder to decide."""

_ANALYSIS, _GRACE = "10m", "2m"
_SHORT_GRACE = "30s"
_ANALYSIS_SHARE = 10
"""Of a short window a tenth is kept for the analysis."""


@dataclass(frozen=True)
class Room:
    """The time there is.

    Attributes:
        seconds: for jobs.
        analysis: what is kept at the end, as a plan says it; grace: what a job has to stop, likewise.
    """

    seconds: float
    analysis: str
    grace: str


def room(window: str, now: datetime) -> Room:
    """The time of a window, less what the analysis takes and what a job that is stopped has for that."""
    opens, closes = windows.parse(window).opens(now)
    whole = (closes - opens).total_seconds()
    analysis, grace = _ANALYSIS, _GRACE
    if whole < _ANALYSIS_SHARE * durations.seconds(analysis):
        analysis, grace = f"{max(1, int(whole // _ANALYSIS_SHARE // 60))}m", _SHORT_GRACE
    kept = durations.seconds(analysis) + durations.seconds(grace)
    return Room(max(0.0, whole - kept), analysis, grace)


def fill(
    ranked: Sequence[Candidate], seeds: int, first: float, seconds: float
) -> tuple[list[Candidate], list[LeftOut]]:
    """Choose.

    Args:
        ranked: the best first.
        seeds: of each, and of what confirms the winner.
        first: seconds of what comes before all of them.
        seconds: that there are.

    Returns:
        Those that fit, in the same order; and the others.
    """
    chosen: list[Candidate] = []
    left_out: list[LeftOut] = []
    for one in ranked:
        if len(chosen) == MOST:
            left_out.append(LeftOut(one.title, f"{MOST} are compared; more make all harder to decide"))
            continue
        left = seconds - first - 60 * taken(chosen, seeds)
        needed = 60 * (taken([*chosen, one], seeds) - taken(chosen, seeds))
        if needed <= left:
            chosen.append(one)
        else:
            there = clock.duration(max(0.0, left))
            left_out.append(LeftOut(one.title, f"no room: {clock.duration(needed)} needed, {there} left"))
    return chosen, left_out


def taken(chosen: Sequence[Candidate], seeds: int) -> float:
    """Minutes of these, and of confirming the best of them where there are several."""
    single = [one for one in chosen if not one.ways]
    again = seeds * max(one.minutes for one in single) if len(single) > 1 else 0.0
    return sum(one.whole(seeds) for one in chosen) + again
