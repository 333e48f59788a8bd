"""How long jobs take, as far as anybody knows before they are over."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import NamedTuple

from ctexp.planning.plan.jobs import LEAST_SECONDS, Job

Z90 = NormalDist().inv_cdf(0.9)

_WIDEST = 2 * Z90
"""The sigma of a lognormal distribution whose mean is its p90; that of a wider one is a tale of its tail."""


@dataclass(frozen=True)
class Length:
    """How long a job will take, in seconds: half of such jobs stay below `p50`, nine of ten below `p90`."""

    p50: float
    p90: float


class Planned(NamedTuple):
    """What is reckoned with for one job, in seconds.

    Attributes:
        needed: that have to be left for it to be begun.
        p50: its median.
        mean: expected, of the lognormal distribution with this p50 and p90, but never more than its p90.
        variance: of the same, in seconds squared.
    """

    needed: float
    p50: float
    p90: float
    mean: float
    variance: float

    def spread_over(self, lanes: float) -> "Planned":
        """What it takes of the time of so many places together; what has to be left is as it was."""
        return self._replace(p50=self.p50 / lanes, mean=self.mean / lanes, variance=self.variance / lanes**2)


def planned(jobs: Sequence[Job], lengths: Mapping[str, Length | None]) -> list[Planned]:
    """What is reckoned with for each job.

    A job of unknown length is begun where `jobs.LEAST_SECONDS` are left, and planned with the median of the
    known lengths; where none is known, with that least time.
    """
    known = [length for job in jobs if (length := lengths.get(job.id)) is not None]
    usual = (
        Length(median(one.p50 for one in known), median(one.p90 for one in known))
        if known
        else Length(LEAST_SECONDS, LEAST_SECONDS)
    )
    unknown = _planned(usual, LEAST_SECONDS)
    each = (lengths.get(job.id) for job in jobs)
    return [unknown if length is None else _planned(length, length.p90) for length in each]


def _planned(length: Length, needed: float) -> Planned:
    p50, p90 = length.p50, max(length.p50, length.p90)
    if p50 <= 0.0:
        return Planned(needed, 0.0, p90, 0.0, 0.0)
    spread = min(math.log(p90) - math.log(p50), _WIDEST * Z90) ** 2 / Z90**2
    mean = p50 * math.exp(spread / 2)
    return Planned(needed, p50, p90, mean, mean * mean * math.expm1(spread))
