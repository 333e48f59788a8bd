"""One metric's difference between two experiments, its error from images and from seeds, and its p-value.

The difference of the means over seeds errs by the images that were drawn and by the trainings that were. The
first is its variance over resamples of the groups of images. The second is the spread of the metric over
seeds, by side divided by their number. Both hold what an image and a training do only together; the resamples
say how much that is, and it is taken out of the second once. Where one side has a single seed it is taken to
spread like the other; where both have, seeds are assumed to add as much as images do: Bouthillier et al. 2021
(Accounting for variance in machine learning benchmarks) found them to add as much or less.

Both together give a t statistic with Satterthwaite's degrees of freedom, those of the spread before anything
is taken out: with those of what is left of it, two seeds a side erred 9 times in 100 in simulations, this way
3 times. The exchange of answers (`swapping`) guards the p-value where few images differ, and a t distribution
says little: the larger p counts.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]
_NOTHING = 1e-12  # differences below are rounding
SeedSource = Literal["measured", "pooled", "assumed"]


_REACH = {"loss": float("inf"), "brier": 2.0, "mcc": 2.0}
"""How far apart two values of a metric can lie; 1 for all others. Two seeds' intervals may reach further."""


@dataclass(frozen=True)
class Effect:
    """One metric of one pair. None stands where a number is undefined; `reason` then says why.

    Attributes:
        metric: its name without the split.
        baseline: the mean over the baseline's seeds.
        candidate: the mean over the candidate's seeds.
        difference: candidate less baseline.
        low: of the 95 % interval of the difference, seeds included.
        high: of the same.
        image_se: the standard error from the choice of images.
        seed_se: the standard error that training with these seeds and no others adds to it.
        shared_se: the part of `image_se` that goes with more seeds, too; None with a single seed a side.
        seed_source: where the latter comes from: `measured` on both sides, `pooled` from the only side with
            several seeds, `assumed` where neither has.
        image_df: degrees of freedom of the error from images.
        seed_df: of the error from seeds; infinite where it is assumed.
        p_images: of exchanging the two sides' joint answers.
        p: of the difference, not yet corrected for the family; 1 where it is undefined.
        reason: why there is no number, or no interval; empty otherwise.
    """

    metric: str
    baseline: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    image_se: float | None
    seed_se: float | None
    shared_se: float | None
    seed_source: SeedSource
    image_df: float
    seed_df: float
    p_images: float | None
    p: float
    reason: str


@dataclass(frozen=True)
class Side:
    """One experiment's metrics, by row.

    Attributes:
        values: on the images, by seed, `(metrics, seeds)`; for one metric `(seeds,)`.
        drawn: in every resample, `(metrics, seeds, resamples)`; for one metric `(seeds, resamples)`.
    """

    values: Floats
    drawn: Floats

    def of(self, row: int) -> "Side":
        """One metric."""
        return Side(self.values[row], self.drawn[row])

    @property
    def spread(self) -> float | None:
        """The variance of one metric over seeds; None for a single seed."""
        return float(self.values.var(ddof=1)) if len(self.values) > 1 else None

    @property
    def shared(self) -> float | None:
        """The part of the spread that is due to these images; None for a single seed, or an undefined metric.

        That is how differently the seeds of one side move from resample to resample.
        """
        count = len(self.values)
        if count == 1:
            return None
        moved = self.drawn[:, np.isfinite(self.drawn).all(axis=0)]
        if not moved.size:
            return None
        return float((moved - moved.mean(axis=0)).var(axis=1).mean()) * count / (count - 1)


@dataclass(frozen=True)
class SeedError:
    """The variance of a difference of means over seeds.

    Attributes:
        variance: by the spread over seeds.
        df: degrees of freedom.
        shared: the part of it that the variance from images holds, too.
        source: where it comes from.
    """

    variance: float
    df: float
    shared: float
    source: SeedSource

    @property
    def added(self) -> float:
        """What seeds add to the variance from images."""
        return max(0.0, self.variance - self.shared)


def effect(
    metric: str, baseline: Side, candidate: Side, groups: int, p_images: float, identical: bool
) -> Effect:
    """Put one metric's parts together.

    Args:
        metric: its name.
        baseline: its values.
        candidate: its values in the same resamples.
        groups: how many the images fall into.
        p_images: of the exchange of answers; NaN where undefined.
        identical: whether both sides gave the same answers byte by byte.
    """
    before, after = (float(side.values.mean()) for side in (baseline, candidate))
    drawn = candidate.drawn.mean(axis=0) - baseline.drawn.mean(axis=0)
    drawn = drawn[np.isfinite(drawn)]
    reason = _no_number(before, after, groups, len(drawn), identical)
    low = high = error = None
    p, difference = 1.0, after - before
    # A resample of G groups spreads like a mean of G - 1.
    images = float(drawn.var(ddof=1)) * groups / (groups - 1) if groups > 1 and len(drawn) > 1 else 0.0
    seeds = seed_error(baseline, candidate, images)
    if not reason:
        error = float(np.sqrt(images + seeds.added))
        if error < _NOTHING:
            reason = "the same in every resample of the images: they are too few for an interval"
            p = p_images if difference else 1.0
        else:
            df = satterthwaite(images, groups - 1, seeds)
            half = float(stdtrit(df, 0.975)) * error
            reach = _REACH.get(metric, 1.0)
            low, high = max(-reach, difference - half), min(reach, difference + half)
            p = max(2 * float(stdtr(df, -abs(difference) / error)), p_images)
    told = error is not None
    return Effect(
        metric=metric,
        baseline=_finite(before),
        candidate=_finite(after),
        difference=_finite(difference),
        low=low,
        high=high,
        image_se=_root(images) if told else None,
        seed_se=_root(seeds.added) if told else None,
        shared_se=_root(seeds.shared) if told and seeds.source != "assumed" else None,
        seed_source=seeds.source,
        image_df=groups - 1,
        seed_df=seeds.df,
        p_images=_finite(p_images),
        p=p,
        reason=reason,
    )


def seed_error(baseline: Side, candidate: Side, images: float) -> SeedError:
    """The error of one metric's difference from seeds.

    Args:
        baseline: one side.
        candidate: the other.
        images: the variance from images, what is assumed where neither has two seeds.
    """
    sides = [side for side in (baseline, candidate) if len(side.values) > 1]
    if not sides:
        return SeedError(images, float("inf"), 0.0, "assumed")
    known = [(side.spread or 0.0, side.shared or 0.0, len(side.values)) for side in sides]
    if len(sides) == 1:
        [(spread, shared, count)] = known
        share = 1 + 1 / count
        return SeedError(spread * share, count - 1, shared * share, "pooled")
    parts = [spread / count for spread, _, count in known]
    down = sum(part**2 / (count - 1) for part, (_, _, count) in zip(parts, known, strict=True))
    df = sum(parts) ** 2 / down if down > 0 else sum(count - 1 for _, _, count in known)
    return SeedError(sum(parts), df, sum(shared / count for _, shared, count in known), "measured")


def satterthwaite(images: float, image_df: float, seeds: SeedError) -> float:
    """Degrees of freedom of the whole variance (Satterthwaite 1946), above 0 as that must be."""
    down = images**2 / image_df + seeds.variance**2 / seeds.df
    return (images + seeds.added) ** 2 / down


def _no_number(before: float, after: float, groups: int, resamples: int, identical: bool) -> str:
    """Why a difference cannot be judged; empty where it can."""
    undefined = [
        said for said, value in (("baseline", before), ("candidate", after)) if not np.isfinite(value)
    ]
    if undefined:
        return f"undefined for the {' and the '.join(undefined)}: no image of a class, or no answer of one"
    if identical:
        return "both gave the same answers, byte by byte"
    if groups == 1:
        return "all images are of one group: nothing tells how others would turn out"
    return "" if resamples > 1 else "undefined in the resamples of these images: they are too few"


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _root(variance: float | None) -> float | None:
    return None if variance is None or not np.isfinite(variance) else float(np.sqrt(variance))
