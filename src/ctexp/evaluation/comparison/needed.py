"""How many images or seeds it would take, and what those there are can show.

A difference d with error e is decided four times in five where d is at least (t(1 - level/2) + t(0.8)) e, the
quantiles of the t distribution with the error's degrees of freedom. `level` is alpha over the size of the
family, the strictest step of Holm's correction. What images alone do falls with their number, what seeds
alone do with theirs, what they do together with both. With a single seed a side the parts are not known: what
is assumed of seeds falls with the images too, since it is assumed to be as much, and nothing of what images
do falls with seeds. The exchange of answers is left out: where few images differ it asks for more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ctexp.evaluation.comparison.effect import Effect, SeedError, satterthwaite
from ctexp.evaluation.intervals import POWER
from ctexp.record.documents import Part

MOST_GROUPS = 20_000
"""More than this nobody is advised to look for."""

MOST_SEEDS = 20
"""Likewise."""


class Needed(Part):
    """What would decide a difference as large as the one seen, or an improvement, four times in five.

    Attributes:
        images: groups of images in all, at the seeds there are; None where not even `MOST_GROUPS` would.
        seeds: a side, at the images there are; None where not even `MOST_SEEDS` would.
        said: the same in words, without a full stop.
    """

    images: int | None
    seeds: int | None
    said: str


@dataclass(frozen=True)
class _Parts:
    """The variance of a difference by what makes it: images alone, seeds alone, both together."""

    images: float
    seeds: float
    both: float
    image_df: float
    seed_df: float

    def reach(self, level: float) -> float:
        """The smallest difference decided."""
        spread = SeedError(self.seeds + self.both, self.seed_df, self.both, "measured")
        images = self.images + self.both
        df = satterthwaite(images, self.image_df, spread)
        return float((stdtrit(df, 1 - level / 2) + stdtrit(df, POWER)) * np.sqrt(images + self.seeds))


def detectable(effect: Effect, level: float) -> float | None:
    """The smallest difference that these images and seeds decide; None without an error to go by, or any."""
    reach = _parts(effect).reach(level) if effect.image_se else float("inf")
    return reach if np.isfinite(reach) else None


def needed(
    effect: Effect, groups: int, seeds: tuple[int, int], level: float, improvement: float | None = None
) -> Needed | None:
    """What would decide it; None without a difference or an error to go by.

    Args:
        effect: an undecided one.
        groups: how many there are.
        seeds: how many there are on either side.
        level: at which it is to be decided.
        improvement: as large as this one has to be to be found; None for a difference as large as that seen.
    """
    size = improvement or abs(effect.difference or 0)
    if not size or not effect.image_se:
        return None
    parts, assumed = _parts(effect), effect.seed_source == "assumed"
    if improvement and parts.reach(level) <= improvement:
        said = f"these images and seeds find an improvement of {size:g} four times in five"
        return Needed(images=None, seeds=None, said=f"{said}: it is smaller, or was missed")

    def with_groups(count: int) -> float:
        share = groups / count
        of_seeds = parts.seeds * (share if assumed else 1)
        return _Parts(parts.images * share, of_seeds, parts.both * share, count - 1, parts.seed_df).reach(
            level
        )

    def with_seeds(count: int) -> float:
        share = 2 / count / (1 / seeds[0] + 1 / seeds[1])
        of_seeds, both = parts.seeds * share, parts.both * share
        return _Parts(parts.images, of_seeds, both, parts.image_df, 2 * (count - 1)).reach(level)

    images = _smallest(with_groups, size, groups + 1, MOST_GROUPS)
    more = _smallest(with_seeds, size, max(2, *seeds), MOST_SEEDS)
    said = _to_find(improvement, images, more) if improvement else _to_decide(images, more, assumed)
    return Needed(images=images, seeds=more, said=said)


def _parts(effect: Effect) -> _Parts:
    of_images, of_seeds = (effect.image_se or 0.0) ** 2, (effect.seed_se or 0.0) ** 2
    both = min(of_images, (effect.shared_se or 0.0) ** 2)
    return _Parts(of_images - both, of_seeds, both, effect.image_df, effect.seed_df)


def _smallest(reach: Callable[[int], float], size: float, low: int, high: int) -> int | None:
    """The smallest number from `low` to `high` whose reach, which falls, is at most `size`."""
    if low > high or reach(high) > size:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reach(middle) <= size else (middle + 1, high)
    return low


def _to_find(improvement: float, images: int | None, seeds: int | None) -> str:
    if ways := _ways(images, seeds):
        return f"to find an improvement of {improvement:g}: {ways}"
    most = f"neither {MOST_GROUPS:,} independent images nor {MOST_SEEDS} seeds a side would find it"
    return f"an improvement of {improvement:g} is out of reach of this data set: {most}"


def _to_decide(images: int | None, seeds: int | None, assumed: bool) -> str:
    what = "would decide a difference of this size"
    ways = _ways(images, seeds)
    if not ways:
        return f"neither more images nor more seeds alone {what}"
    if images is None:
        return f"{ways} {what}; more images alone would not"
    if seeds is None and assumed:
        return f"{ways} {what}; what more seeds would do shows with two or more a side"
    return f"{ways} {what}" if seeds else f"{ways} {what}; more seeds alone would not"


def _ways(images: int | None, seeds: int | None) -> str:
    ways = [f"{images:,} independent images"] if images else []
    ways += [f"{seeds} seeds a side"] if seeds else []
    return " or ".join(ways)
