"""Two experiments on the same images, metric by metric."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.evaluation.comparison.answered import Answered, answered
from ctexp.evaluation.comparison.delong import DeLong, delong
from ctexp.evaluation.comparison.effect import Effect, Side, effect
from ctexp.evaluation.comparison.exact import McNemar, mcnemar
from ctexp.evaluation.comparison.resampling import point, resampled
from ctexp.evaluation.comparison.swapping import swapped
from ctexp.evaluation.predictions import Predictions

_SCOPES = {
    "measured": "about the two experiments: what training with other seeds would change is in the account",
    "pooled": (
        "about the two experiments, as far as training anew changes both as much as it did the one with "
        "several seeds"
    ),
    "assumed": (
        "about these two trainings; about the experiments only as far as training with another seed changes "
        "a metric no more than other images would, which is assumed and not measured"
    ),
}


@dataclass(frozen=True)
class Pair:
    """A candidate against a baseline, before the correction for everything else that is compared.

    Attributes:
        images: how many both judged.
        groups: of look-alikes among them.
        seeds: of the baseline and of the candidate.
        identical: both sides have the same logits, byte by byte, seed for seed.
        effects: by metric, in the order of the family.
        mcnemar: of the joint answers, the mean probabilities over seeds.
        delong: of the joint answers, by class; classes without images, or without others, are left out.
        scope: what the verdicts are about, without a full stop.
    """

    images: int
    groups: int
    seeds: tuple[int, int]
    identical: bool
    effects: dict[str, Effect]
    mcnemar: McNemar
    delong: dict[str, DeLong]
    scope: str


def pair(
    baseline: Sequence[Predictions],
    candidate: Sequence[Predictions],
    family: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Pair:
    """Compare two experiments.

    Args:
        baseline: one table a seed, at least one; the same images in the same order in all tables.
        candidate: likewise, of the same images.
        family: metrics of `scores.NAMES`.
        seed: of the resampling; equal arguments give equal answers.
        resamples: of the images, and as many exchanges of answers.

    Raises:
        DataError: tables hold different images, or the same in another order, class or group.
    """
    _same_images([*baseline, *candidate])
    names, identical = tuple(family), _identical(baseline, candidate)
    sides = [_side(tables, names, resamples, seed) for tables in (baseline, candidate)]
    single = [[answered(table) for table in tables] for tables in (baseline, candidate)]
    chance = dict(zip(names, swapped(single[0], single[1], names, resamples, seed), strict=True))
    joint = [_joint(said) for said in single]
    right = [said.logits.argmax(axis=1) == said.labels for said in joint]
    exact = mcnemar(right[0], right[1])
    images, count = len(joint[0].labels), joint[0].group_count
    if "accuracy" in chance and count == images and len(baseline) == len(candidate) == 1:
        chance["accuracy"] = exact.p
    effects = {
        name: effect(name, sides[0].of(row), sides[1].of(row), count, float(chance[name]), identical)
        for row, name in enumerate(names)
    }
    source = next(iter(effects.values())).seed_source
    return Pair(
        images=images,
        groups=count,
        seeds=(len(baseline), len(candidate)),
        identical=identical,
        effects=effects,
        mcnemar=exact,
        delong=_by_class(joint[0], joint[1]),
        scope=_SCOPES[source],
    )


def _same_images(tables: Sequence[Predictions]) -> None:
    if not all(other is tables[0] or other.same_images(tables[0]) for other in tables):
        raise DataError(
            "the predictions to be compared are not of the same images in the same order",
            "compare what both judged, sorted by image",
        )


def _side(tables: Sequence[Predictions], family: tuple[str, ...], resamples: int, seed: int) -> Side:
    return Side(
        values=np.stack([point(table, family) for table in tables], axis=1),
        drawn=np.stack([resampled(table, family, resamples, seed) for table in tables], axis=1),
    )


def _joint(side: Sequence[Answered]) -> Answered:
    """The mean probabilities over seeds, by their logarithms; a single seed's own answers."""
    if len(side) == 1:
        return side[0]
    mean = np.mean([said.probabilities for said in side], axis=0)
    logits = np.log(np.maximum(mean, np.finfo(np.float32).tiny)).astype(np.float32)
    return Answered(side[0].labels, logits, side[0].groups)


def _identical(baseline: Sequence[Predictions], candidate: Sequence[Predictions]) -> bool:
    return len(baseline) == len(candidate) and all(
        first.logits.tobytes() == second.logits.tobytes()
        for first, second in zip(baseline, candidate, strict=True)
    )


def _by_class(baseline: Answered, candidate: Answered) -> dict[str, DeLong]:
    before, after = baseline.probabilities, candidate.probabilities
    found = {}
    for k, name in enumerate(CLASSES):
        positive = baseline.labels == k
        if positive.any() and not positive.all():
            found[name] = delong(positive, before[:, k], after[:, k], baseline.groups)
    return found
