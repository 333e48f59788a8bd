"""Errors among images that share something, held against the rest.

A slice is compared with the images whose value of the same attribute is known and another. Its difference in
accuracy has Newcombe's hybrid score interval (Newcombe 1998, method 10), from the Wilson intervals of both
sides, and Fisher's exact test. Where images come in groups, both count only as many images as the design
effect leaves (Rao & Scott 1992). The p-values of all slices are one family, corrected by
Holm (1979).

Confidence is made of the same answers as the errors, so that its slices are told but not tested.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ctexp.data.caveats import ENOUGH
from ctexp.evaluation import intervals
from ctexp.evaluation.comparison.exact import holm
from ctexp.evaluation.mistakes.attributes import CONFIDENCE, Attributes, Values, in_order
from ctexp.evaluation.mistakes.cases import Cases, Share
from ctexp.record.documents import Part


class Difference(Part):
    """Accuracy of a slice less that of the rest.

    Attributes:
        low: lower end of the 95 % interval.
        p: Fisher's exact test, two-sided; null where it was not tested.
        p_holm: after Holm's correction over all slices.
    """

    value: float
    low: float
    high: float
    p: float | None
    p_holm: float | None


class Slice(Part):
    """The images with one value of an attribute.

    Attributes:
        groups: independent ones among them.
        few: whether those are so few that nothing can be said.
        miss_rate: of the cancers among them.
        difference: to the rest.
    """

    attribute: str
    value: str
    n: int
    groups: int
    few: bool
    errors: int
    accuracy: Share
    miss_rate: Share
    difference: Difference


@dataclass(frozen=True, eq=False)
class _Sides:
    """A slice and the rest; of two values the second one's sides are the first one's, the other way round."""

    attribute: str
    value: str
    members: NDArray[np.bool_]
    others: NDArray[np.bool_]
    mirrored: bool


def slices(cases: Cases, known: Attributes) -> tuple[Slice, ...]:
    """Every value of every attribute that has more than one, in the attributes' order."""
    sides = [side for name, values in known.columns.items() for side in _sides(name, values)]
    return tuple(
        Slice(
            attribute=side.attribute,
            value=side.value,
            n=int(side.members.sum()),
            groups=(groups := len(np.unique(cases.group[side.members]))),
            few=groups < ENOUGH,
            errors=int((cases.wrong & side.members).sum()),
            accuracy=cases.accuracy(side.members),
            miss_rate=cases.miss_rate(side.members),
            difference=difference,
        )
        for side, difference in zip(sides, _differences(cases, sides), strict=True)
    )


def _sides(name: str, of_images: Values) -> list[_Sides]:
    values = np.array(of_images, dtype=object)
    known = np.array([value is not None for value in values])
    different = sorted(set(values[known]), key=in_order)
    if len(different) < 2:
        return []
    return [
        _Sides(name, value, values == value, known & (values != value), len(different) == 2 and place == 1)
        for place, value in enumerate(different)
    ]


def _differences(cases: Cases, sides: Sequence[_Sides]) -> list[Difference]:
    measured = [
        [_counts(~cases.wrong[images], cases.group[images]) for images in (side.members, side.others)]
        for side in sides
    ]
    p_values = {
        place: fisher(*both)
        for place, (side, both) in enumerate(zip(sides, measured, strict=True))
        if side.attribute != CONFIDENCE and not side.mirrored
    }
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    differences = []
    for place, (side, (one, other)) in enumerate(zip(sides, measured, strict=True)):
        low, high = newcombe(one, other)
        test = place - 1 if side.mirrored else place
        differences.append(
            Difference(
                value=one[0] - other[0],
                low=low,
                high=high,
                p=p_values.get(test),
                p_holm=corrected.get(test),
            )
        )
    return differences


def _counts(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> tuple[float, float]:
    """A proportion, and how many independent images it rests on."""
    return float(hits.mean()), len(hits) / intervals.design_effect(hits, groups)


def newcombe(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of a difference of proportions, each given with its number of trials."""
    (p, n), (q, m) = one, other
    (p_low, p_high), (q_low, q_high) = intervals.wilson(p, n), intervals.wilson(q, m)
    return (
        p - q - float(np.hypot(p - p_low, q_high - q)),
        p - q + float(np.hypot(p_high - p, q - q_low)),
    )


def fisher(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Fisher's exact test of two proportions, each given with its number of trials: two-sided p.

    Trials that are no whole number are rounded down, and of the hits on either side of what is left the pair
    that says least counts.
    """
    trials = [max(1, math.floor(n + 1e-9)) for _, n in (one, other)]
    hits = [p * n for (p, _), n in zip((one, other), trials, strict=True)]
    whole = [{math.floor(hit + 1e-9), math.ceil(hit - 1e-9)} for hit in hits]
    return max(_fisher(*both, *trials) for both in product(*whole))


def _fisher(one: int, other: int, n: int, m: int) -> float:
    """The same of whole hits; scipy's own is part of `scipy.stats`, which takes a second to import."""
    both = one + other
    hits = np.arange(max(0, both - m), min(n, both) + 1)  # of the one side, for all tables of these margins
    ways = -sum(gammaln(count + 1) for count in (hits, n - hits, both - hits, m - both + hits))
    likely = np.exp(ways - ways.max())
    as_rare = likely <= likely[hits == one] * (1 + 1e-7)  # equal ones differ in their last bits
    return float(min(1.0, likely[as_rare].sum() / likely.sum()))
