"""How many seeds it takes, and how large a gain they can decide.

A true gain is decided four times in five where it is (t(1 - level/2) + t(0.8)) times the standard error of
the difference (`evaluation.comparison.needed`). That error has two parts: the images, which every seed is
judged on and more seeds do not mend, and the seeds, whose part shrinks with their number:

    variance of the difference = error of the images squared + 2 x (sd over seeds) squared / seeds a side

Both are taken from what was measured here, where anything was; the least that any network would show
(`checking.power`) is a floor below them, and stands alone where nothing was measured.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from ctexp.config.verdict import VerdictSettings
from ctexp.evaluation.intervals import POWER
from ctexp.planning.checking import power
from ctexp.planning.moves.move import ALIKE, PRIMARY
from ctexp.planning.study.noise import Noise

FEWEST = 3
"""Seeds a side: of two nobody knows the spread."""

MOST = 5
"""Seeds a side that a night is asked for; beyond, another night tells more."""

_FEWEST_DF = 2
"""Degrees of freedom of a spread over seeds that is known: those of three seeds of one recipe."""

FEW = 2
"""Of a first look, such as each value of a sweep gets, which claims nothing."""

_WORTH_A_SEED = 0.07
"""A further seed has to lower what is detectable by this share of it."""


@dataclass(frozen=True)
class Spread:
    """What is known of the error of a difference between two recipes.

    Attributes:
        noise: of seeds; None where no recipe has two.
        images: standard error from the choice of images, of a difference; None where nothing was compared.
    """

    noise: Noise | None
    images: float | None

    @property
    def tells(self) -> bool:
        """Whether the noise is known well enough to count on: of two seeds it may be off by thirty times."""
        return self.noise is not None and self.noise.df >= _FEWEST_DF


@dataclass(frozen=True)
class Design:
    """Seeds a side, and what they decide.

    Attributes:
        seeds: of each experiment that is compared.
        hypotheses: how many criteria share the level of the test.
        detectable: the smallest true gain that so many images and seeds notice four times in five, by what
            was measured here, or at best, whatever is trained; None where nothing can be said of the metric.
        error: the standard error expected of a difference; None likewise.
        critical: what a difference has to exceed to be called one; None likewise.
        decidable: whether anything could be called better at all.
    """

    seeds: int
    hypotheses: int
    detectable: float | None
    error: float | None
    critical: float | None
    decidable: bool


@dataclass(frozen=True)
class Question:
    """What is to be decided, on which images, and what is known of its error."""

    metric: str
    groups: Mapping[str, int]
    judged: Mapping[str, int]
    spread: Spread
    settings: VerdictSettings

    def design(self, seeds: int, hypotheses: int) -> Design:
        """What so many seeds a side decide, among so many hypotheses."""
        level = self.settings.alpha / max(1, hypotheses)
        witnesses = sum(self.groups.values())
        least, factor, critical = self._quantiles(level, witnesses)
        at_best = power.detectable(self.metric, self.groups, (seeds, seeds), level)
        floor = None if at_best is None else at_best / factor
        measured = self._error(seeds)
        error = max((one for one in (floor, measured) if one is not None), default=None)
        return Design(
            seeds=seeds,
            hypotheses=hypotheses,
            detectable=None if error is None else factor * error,
            error=error,
            critical=None if error is None else critical * error,
            decidable=witnesses >= least,
        )

    def fewest(self, hypotheses: int) -> Design:
        """The seeds that a night is worth: those that decide what is worthwhile, or as many as still help.

        Where nobody knows the spread over seeds, the fewest that tell it.
        """
        designs = [self.design(seeds, hypotheses) for seeds in range(FEWEST, MOST + 1)]
        if not self.spread.tells:
            return designs[0]
        for one, more in pairwise(designs):
            if one.detectable is None or one.detectable <= self.worthwhile:
                return one
            if more.detectable is not None and more.detectable > (1 - _WORTH_A_SEED) * one.detectable:
                return one
        return designs[-1]

    @property
    def worthwhile(self) -> float:
        """The smallest gain that matters; of a metric on another scale than the primary one's, any does."""
        primary, alike = f"val/{self.settings.primary}", (PRIMARY, *ALIKE)
        scale = {primary, *(alike if primary in alike else ())}
        return self.settings.worthwhile if self.metric in scale else 0.0

    def _error(self, seeds: int) -> float | None:
        """Of a difference, by what was measured."""
        noise, images = self.spread.noise, self.spread.images
        if noise is None and images is None:
            return None
        of_seeds = 2 * noise.sd**2 / seeds if noise else 0.0
        return math.sqrt((images or 0.0) ** 2 + of_seeds)

    def _quantiles(self, level: float, witnesses: int) -> tuple[int, float, float]:
        """The fewest images that have to differ; what is detectable, and what is called, in errors."""
        from scipy.special import stdtrit  # a third of a second: only where a night is designed

        df = max(1, witnesses - 1)
        critical = float(stdtrit(df, 1 - level / 2))
        return power.fewest_differing(self.settings.alpha), critical + float(stdtrit(df, POWER)), critical
