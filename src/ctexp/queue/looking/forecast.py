"""When each job of a queue will have ended, as far as anybody can tell now."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ctexp.planning.packing.pack import Length


@dataclass(frozen=True)
class Ahead:
    """A job that is not over.

    Attributes:
        length: of the whole job; None where nobody knows.
        spent: seconds of the attempt that runs; None for a job that has not begun.
        pace: seconds left if it goes on as it does to its last epoch; None where that is not known.
    """

    job: str
    length: Length | None
    spent: float | None = None
    pace: float | None = None


@dataclass(frozen=True)
class Ends:
    """Seconds from now until a job has ended: what half of such nights stay below, and nine of ten."""

    p50: float
    p90: float


def forecast(
    ahead: Iterable[Ahead], *, pause: float = 0.0, places: int = 1, together: bool = False
) -> Mapping[str, Ends]:
    """The end of every job that can be foreseen: past one nobody knows the cost of, nothing can.

    Args:
        ahead: what is left, in the order it is begun; what runs comes first.
        pause: seconds between two jobs.
        places: jobs at once, each of which goes to the place that is free first.
        together: jobs run side by side, and who waits for a machine is anybody's guess: only those that run
            are foreseen.
    """
    ends: dict[str, Ends] = {}
    free = [(0.0, 0.0)] * places
    for one in ahead:
        left = _left(one)
        if together:
            if left is None or one.spent is None:
                continue
            free = [(0.0, 0.0)]
        if not free:
            break
        middle, variance = free.pop(free.index(min(free)))
        if left is None:
            if one.spent is None:
                break
            continue  # nobody knows when its place is free
        # Jobs are late independently of each other: their spreads add up as squares.
        middle += left.p50 + (pause if one.spent is None else 0.0)
        variance += (left.p90 - left.p50) ** 2
        free.append((middle, variance))
        ends[one.job] = Ends(middle, middle + math.sqrt(variance))
    return ends


def _left(one: Ahead) -> Ends | None:
    """What a job still takes."""
    spent = one.spent or 0.0
    if one.pace is not None:
        # To the last epoch at the latest; earlier where such jobs usually stop early.
        usual = one.length.p50 - spent if one.length is not None else one.pace
        return Ends(min(usual, one.pace) if usual > 0 else one.pace, one.pace)
    if one.length is None:
        return None
    likely = max(one.length.p50 - spent, 0.0)
    return Ends(likely, max(one.length.p90 - spent, likely))
