"""How long jobs take, renewed by what those of this night took: plain Python, asked after every job.

An estimate says p50 and p90 of a duration. The logarithm of the duration is taken to be normal around ln p50,
with sigma = ln(p90 / p50) / 1.2816, so that nine of ten stay below p90. How far a job is off, counted in its
own sigma, has three independent parts, whose shares of the variance add up to 1:

    z = A + B + C    A common to the night (the machine), B to the experiment, C the job's own

What is done tells z = (ln took - ln p50) / sigma, where sigma is the greater of its own and that of the job
that is asked about: else one that was thought to be certain and took twice as long would make days of the
hours of another that was not. So no job is expected to be further off than those that are done. Of an
experiment e with n of them and mean z_e, given A,

    z_e ~ N(A, B + C / n)              and so    var A = 1 / (1 / A + sum p_e),  p_e = 1 / (B + C / n)
    k_e = B / (B + C / n)                        mean A = var A * sum p_e z_e

where A, B, C also stand for their variances. A job that is left has, k being that of its experiment and 0
where none of it is done,

    z ~ N(mean A + k (z_e - mean A),  B (1 - k) + (1 - k)^2 var A + C)

which, where all have one sigma, is the exact conditional distribution of this normal model (a variance
components model: Searle, Casella and McCulloch, Variance Components, 1992, chapter 7). Its median and its
0.9 quantile, carried back, are the renewed p50 and p90; where nothing is done they are those of the estimate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ctexp.core.wording import many
from ctexp.planning.packing.pack import Length
from ctexp.planning.plan.jobs import Job
from ctexp.queue.orders import Orders
from ctexp.queue.state import JobNow, Night

NIGHT, EXPERIMENT, JOB = 0.3, 0.5, 0.2
"""Shares of the variance. A guess: seeds of one configuration do the same work, on one machine."""

LEAST_SIGMA = 0.02
"""Of an estimate that says to be certain: a job that differs from it all the same tells of others."""

SIBLING_SPREAD = 1.3
"""From p50 to p90 of a job of unknown cost of which another seed is done: a guess, that of like runs."""

_Z90 = 1.2816


@dataclass(frozen=True)
class Took:
    """What jobs of this night took, beside what was expected of them.

    Attributes:
        jobs: how many tell.
        factor: the geometric mean of what they took over their p50.
    """

    jobs: int
    factor: float

    def __str__(self) -> str:
        return f"the {many(self.jobs, 'job')} done took {self.factor:.2f} times what was expected"


def took(orders: Orders, night: Night) -> Took | None:
    """How the night goes; None where no job that is done had an estimate."""
    logs = [math.log(seconds / estimate.p50) for estimate, seconds in _pairs(orders, night)]
    return Took(len(logs), math.exp(sum(logs) / len(logs))) if logs else None


def lengths(orders: Orders, night: Night) -> dict[str, Length | None]:
    """How long each job takes as a whole, seconds, by its id; None where nobody knows.

    A job takes no longer than its limit. One of unknown cost gets what other seeds of its experiment took. A
    sweep takes its budget however fast the machine is: it tells of no other job, and none of it.
    """
    told: dict[str, list[_Told]] = {}
    of_seeds: dict[str, list[float]] = {}
    for job in orders.jobs:
        if (seconds := _seconds(night.jobs[job.id])) and not job.is_sweep:
            of_seeds.setdefault(job.experiment, []).append(math.log(seconds))
            if estimate := _estimate(orders, job):
                one = _Told(math.log(seconds / estimate.p50), _sigma(estimate))
                told.setdefault(job.experiment, []).append(one)
    off: dict[float, _Off] = {}
    found: dict[str, Length | None] = {}
    for job in orders.jobs:
        estimate = _estimate(orders, job)
        if estimate is None and (logs := of_seeds.get(job.experiment)):
            likely = math.exp(sum(logs) / len(logs))
            estimate = Length(likely, SIBLING_SPREAD * likely)
        elif estimate is not None and told and not job.is_sweep:
            sigma = _sigma(estimate)
            known = off[sigma] if sigma in off else off.setdefault(sigma, _off(told, sigma))
            mean, deviation = known.get(job.experiment) or known[None]
            likely = estimate.p50 * math.exp(sigma * mean)
            estimate = Length(likely, likely * math.exp(sigma * _Z90 * deviation))
        found[job.id] = _within_limit(estimate, job.limit_seconds)
    return found


class _Told(NamedTuple):
    """By how much the logarithm of a job's duration was off, and its sigma."""

    log: float
    sigma: float


_Off = dict[str | None, tuple[float, float]]
"""Mean and standard deviation of z by experiment; under None those of all that are not named."""


def _off(told: Mapping[str, list[_Told]], sigma: float) -> _Off:
    """How far jobs of this sigma are off."""
    means = {
        name: sum(one.log / max(one.sigma, sigma) for one in some) / len(some) for name, some in told.items()
    }
    spreads = {name: EXPERIMENT + JOB / len(some) for name, some in told.items()}
    variance = 1 / (1 / NIGHT + sum(1 / spread for spread in spreads.values()))
    mean = variance * sum(means[name] / spread for name, spread in spreads.items())
    found: _Off = {None: (mean, math.sqrt(variance + EXPERIMENT + JOB))}
    for name, spread in spreads.items():
        k = EXPERIMENT / spread
        rest = EXPERIMENT * (1 - k) + (1 - k) ** 2 * variance + JOB
        found[name] = (mean + k * (means[name] - mean), math.sqrt(rest))
    return found


def _pairs(orders: Orders, night: Night) -> list[tuple[Length, float]]:
    """What was expected of each job that tells, and what it took."""
    return [
        (estimate, seconds)
        for job in orders.jobs
        if not job.is_sweep
        and (seconds := _seconds(night.jobs[job.id]))
        and (estimate := _estimate(orders, job))
    ]


def _seconds(job: JobNow) -> float | None:
    """What a job that is done as planned took, in all attempts at its run; None where that is not known."""
    last = job.attempts[-1] if job.attempts else None
    if job.state != "done" or last is None or last.fallback is not None or job.shortened:
        return None
    same = [one for one in job.attempts if one is last or (one.run and one.run == last.run)]
    seconds = [one.end.get("seconds") if one.end else None for one in same]
    return sum(known) if len(known := [one for one in seconds if one]) == len(same) else None


def _estimate(orders: Orders, job: Job) -> Length | None:
    cost = orders.costs.get(job.id)
    likely = (cost.seconds or cost.seconds_p90) if cost else None
    return Length(likely, max(likely, (cost and cost.seconds_p90) or likely)) if likely else None


def _sigma(estimate: Length) -> float:
    return max(LEAST_SIGMA, math.log(estimate.p90 / estimate.p50) / _Z90)


def _within_limit(length: Length | None, limit: float | None) -> Length | None:
    if length is None or limit is None:
        return length
    return Length(min(length.p50, limit), min(length.p90, limit))
