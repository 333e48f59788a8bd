"""Which of the jobs left, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctexp.planning.plan.jobs import Job


@dataclass(frozen=True)
class Length:
    """How long a job will take, in seconds: half of such jobs stay below `p50`, nine of ten below `p90`."""

    p50: float
    p90: float


@dataclass(frozen=True)
class Packing:
    """An order of jobs such that each comes after all it waits for.

    Attributes:
        order: ids of all jobs, those that are to be begun first.
        chosen: ids of those that the window is meant for.
        whole: whether all of them fit even if each takes its p90: then the order is the plan's.
    """

    order: tuple[str, ...]
    chosen: frozenset[str]
    whole: bool


def pack(
    jobs: Sequence[Job],
    lengths: Mapping[str, Length | None],
    seconds: float | None,
    pause: float = 0.0,
    done: Mapping[str, int] | None = None,
) -> Packing:
    """The best use of the time that is left.

    Args:
        jobs: that may still be begun, in the order of running (`jobs.in_order`).
        lengths: by job id; None where nobody knows.
        seconds: that are left for them; None for as many as they like.
        pause: between two jobs.
        done: experiment -> how many of its seeds are done already, which makes the others worth finishing.
    """
    del lengths, seconds, pause, done
    order = tuple(job.id for job in jobs)
    return Packing(order, frozenset(order), whole=True)
