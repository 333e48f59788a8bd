"""What a run will cost: from runs like it, or from a few of its own steps, and how far to trust that.

The median is what like runs cost, scaled by images and epochs, or what steps measured now add up to. How far
outcomes go beyond predictions is taken from the project's own record: the 0.9 quantile of outcome over
prediction among earlier runs that were estimated the same way, with the correction for a finite sample that
makes it hold for the next run (split conformal prediction: Vovk, Gammerman and Shafer 2005; Lei et al. 2018).
Where there are fewer than nine such runs no quantile of theirs can hold nine times out of ten; a stated
factor takes its place.

How many epochs early stopping leaves is uncertain beyond that: the median counts on the share that like runs
used, and the p90 on all.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Literal, Protocol

from ctexp.core import clock
from ctexp.planning.past import Job, Past, PastRun
from ctexp.record.manifest import Estimate

Source = Literal["history", "measured"]

ENOUGH = 3
"""Like runs whose median is worth more than a few steps measured now."""

RATIOS_NEEDED = 9
"""Fewest outcomes whose 0.9 quantile, corrected for their number, is one of them."""


class _Measured(Protocol):
    """What a few steps of a training cost, by `training.cost.trial` or `schedule.measurements`."""

    @property
    def fixed_seconds(self) -> float: ...
    @property
    def epoch_seconds(self) -> float: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def disk_bytes(self) -> int: ...
    @property
    def largest_micro_batch(self) -> int | None: ...
    @property
    def basis(self) -> str: ...


@dataclass(frozen=True)
class Spread:
    """Factors from the median to the p90."""

    seconds: float
    memory: float
    disk: float


ASSUMED: dict[Source, Spread] = {
    "history": Spread(seconds=1.3, memory=1.1, disk=1.1),
    "measured": Spread(seconds=1.6, memory=1.3, disk=1.2),
}
"""What is assumed until the project's own record says better."""


@dataclass(frozen=True)
class Accuracy:
    """How good earlier estimates were.

    Attributes:
        runs: finished runs that had one.
        median_ratio: of their duration over the predicted one; None without runs.
        p90_coverage: the share that took no longer than the p90; 0.9 is what it promises.
    """

    runs: int
    median_ratio: float | None
    p90_coverage: float | None


def from_history(past: Past, job: Job) -> Estimate | None:
    """The cost by runs like it; None where there are too few."""
    like = past.like(job)
    if len(like) < ENOUGH:
        return None
    sizes = [run.disk_bytes for run in like if run.disk_bytes is not None]
    fits = [run.estimate.largest_micro_batch for run in like if run.estimate]
    return _estimate(
        past,
        job,
        "history",
        fixed=median(run.rest_seconds for run in like),
        epoch=median(run.epoch_seconds / run.job.work for run in like) * job.work,
        share=median(run.epochs / run.job.epochs for run in like) if job.stops_early else 1.0,
        memory=round(median(run.memory_bytes for run in like)),
        disk=round(median(sizes)) if sizes else None,
        largest=next((fit for fit in fits if fit is not None), None),
        basis=f"{len(like)} like runs",
    )


def from_trial(past: Past, job: Job, trial: _Measured) -> Estimate:
    """The cost by what was measured of the run itself; like runs, if any, tell of its epochs."""
    like = past.like(job)
    return _estimate(
        past,
        job,
        "measured",
        fixed=trial.fixed_seconds,
        epoch=trial.epoch_seconds,
        share=median(run.epochs / run.job.epochs for run in like) if like and job.stops_early else 1.0,
        memory=trial.memory_bytes,
        disk=trial.disk_bytes,
        largest=trial.largest_micro_batch,
        basis=trial.basis,
    )


def accuracy(past: Past) -> Accuracy:
    """How good the estimates of finished runs were, whatever they stood on."""
    known = [(run.seconds, run.estimate) for run in past.runs if run.estimate and run.estimate.seconds]
    bounds = [(took, estimate.seconds_p90) for took, estimate in known if estimate.seconds_p90 is not None]
    return Accuracy(
        runs=len(known),
        median_ratio=median(took / estimate.seconds for took, estimate in known) if known else None,
        p90_coverage=sum(took <= bound for took, bound in bounds) / len(bounds) if bounds else None,
    )


@lru_cache(maxsize=4)  # a plan of a thousand jobs asks as often, of one past
def spread(past: Past, source: Source) -> Spread:
    """How far outcomes went beyond predictions of this kind; see `RATIOS_NEEDED`."""
    runs = [(run, run.estimate) for run in past.runs if run.estimate and run.estimate.source == source]
    assumed = ASSUMED[source]
    return Spread(
        seconds=_quantile([(r.seconds, _with_its_epochs(r, e)) for r, e in runs], assumed.seconds),
        memory=_quantile([(r.memory_bytes, e.memory_bytes) for r, e in runs], assumed.memory),
        disk=_quantile([(r.disk_bytes, e.disk_bytes) for r, e in runs], assumed.disk),
    )


def cost(estimate: Estimate, on_gpu: bool) -> str:
    """`about 47 min 10 s (p90 1 h 05 min), 6.1 GiB of GPU memory, 310 MB of disk`."""
    bound = f" (p90 {clock.duration(estimate.seconds_p90)})" if estimate.seconds_p90 is not None else ""
    parts = [f"about {clock.duration(estimate.seconds)}{bound}"]
    if estimate.memory_bytes is not None:
        parts.append(f"{memory(estimate.memory_bytes)} of {'GPU ' if on_gpu else ''}memory")
    if estimate.disk_bytes is not None:
        parts.append(f"{disk(estimate.disk_bytes)} of disk")
    return ", ".join(parts)


def memory(count: float) -> str:
    """`6.1 GiB`."""
    return f"{count / 2**30:.1f} GiB"


def disk(count: float) -> str:
    """`310 MB`, `3.1 GB`."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"


def _estimate(
    past: Past,
    job: Job,
    source: Source,
    *,
    fixed: float,
    epoch: float,
    share: float,
    memory: int,
    disk: int | None,
    largest: int | None,
    basis: str,
) -> Estimate:
    beyond = spread(past, source)
    epochs = share * job.epochs

    def total(epochs: float, factor: float) -> float:
        # A run at its limit of minutes ends training there, however slow it is; the rest comes on top.
        training = factor * epochs * epoch
        training = training if job.limit_seconds is None else min(training, job.limit_seconds)
        return factor * fixed + training

    return Estimate(
        seconds=total(epochs, 1.0),
        seconds_p90=total(job.epochs, beyond.seconds),
        memory_bytes=memory,
        memory_bytes_p90=round(memory * beyond.memory),
        disk_bytes=disk,
        disk_bytes_p90=None if disk is None else round(disk * beyond.disk),
        largest_micro_batch=largest,
        epochs=epochs,
        epoch_seconds=epoch,
        source=source,
        basis=basis,
    )


def _with_its_epochs(run: PastRun, estimate: Estimate) -> float:
    """The predicted seconds, had it been known how many epochs the run would take."""
    if estimate.epochs is None or estimate.epoch_seconds is None:
        return estimate.seconds
    return estimate.seconds + (run.epochs - estimate.epochs) * estimate.epoch_seconds


def _quantile(pairs: Iterable[tuple[float | None, float | None]], assumed: float) -> float:
    """The 0.9 quantile of outcome over prediction for the next pair of them, never below 1.

    `assumed` where too few pairs are whole.
    """
    ratios = [took / told for took, told in pairs if took is not None and told]
    if len(ratios) < RATIOS_NEEDED:
        return assumed
    rank = math.ceil(0.9 * (len(ratios) + 1))
    return max(1.0, sorted(ratios)[rank - 1])
