"""How far apart trainings of one configuration are: what any difference has to be seen against."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

Z = 1.959964
"""The 0.975 quantile of the normal distribution: an interval of 95 % reaches so many standard errors."""


@dataclass(frozen=True)
class Noise:
    """The spread of a metric over seeds.

    Attributes:
        sd: of one training, in the metric's own units; pooled over recipes.
        df: its degrees of freedom: seeds less one, over all recipes that have several.
        recipes: how many of these there are.
        low: of the 95 % interval of `sd`; high likewise.
    """

    sd: float
    df: int
    recipes: int
    low: float
    high: float


def pooled(values: Iterable[Sequence[float]]) -> Noise | None:
    """The spread over seeds, taken to be the same for all recipes.

    The variances within recipes, weighted by their degrees of freedom, as in an analysis of variance; the
    interval is that of a variance of normal values, by the chi-squared distribution.

    Args:
        values: of each recipe, a value a seed.

    Returns:
        None where no recipe has two seeds.
    """
    several = [its for its in values if len(its) > 1]
    df = sum(len(its) - 1 for its in several)
    if not df:
        return None
    sd = math.sqrt(sum(variance(its) * (len(its) - 1) for its in several) / df)
    from scipy.special import chdtri  # a third of a second: only where there is something to tell

    low, high = (sd * math.sqrt(df / float(chdtri(df, tail))) for tail in (0.025, 0.975))
    return Noise(sd, df, len(several), low, high)


def of_images(bounds: Iterable[tuple[float, float] | None]) -> float | None:
    """The standard error that 95 % intervals tell of: half their width over 1.96, as a root mean square.

    Args:
        bounds: of each training; None where it has no interval.

    Returns:
        None where none has one.
    """
    errors = [(high - low) / 2 / Z for low, high in (its for its in bounds if its)]
    return math.sqrt(fmean(error**2 for error in errors)) if errors else None
