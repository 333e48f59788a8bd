"""Whether training again with another seed errs on the same images.

Images that every seed gets wrong are hard, or wrongly labelled; those that flicker are decided by chance.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.predictions import Predictions
from ctexp.record.documents import Part


class Churn(Part):
    """Two seeds: the share of images that they call differently (Milani Fard et al. 2016)."""

    seeds: tuple[int, int]
    share: float


class Stability(Part):
    """How the seeds agree.

    Attributes:
        always_right: images that every seed gets right.
        flickering: the ids of those that some seeds get right, the most evenly divided first.
        always_wrong: the ids of those that none gets right.
        same_wrong: of those, how many every seed calls the same wrong class.
        kappa: Fleiss' kappa (1971): agreement beyond chance, 1 for perfect; null where all images got one
            class, so that there is no chance to agree beyond.
        churn: of each pair of seeds.
        right: image id -> share of the seeds that are right.
    """

    seeds: tuple[int, ...]
    always_right: int
    flickering: tuple[str, ...]
    always_wrong: tuple[str, ...]
    same_wrong: int
    kappa: float | None
    churn: tuple[Churn, ...]
    right: dict[str, float]


def stability(seeds: Mapping[int, Predictions]) -> Stability | None:
    """Hold the seeds' answers against each other; None with a single one.

    Args:
        seeds: the table of each, the same images in the same order.
    """
    if len(seeds) < 2:
        return None
    first = next(iter(seeds.values()))
    called = np.stack([its.logits.argmax(axis=1) for its in seeds.values()])
    right = (called == first.label).mean(axis=0)
    wrong, flickering = np.flatnonzero(right == 0), np.flatnonzero((right > 0) & (right < 1))
    flickering = flickering[np.argsort(np.abs(right[flickering] - 0.5), kind="stable")]
    return Stability(
        seeds=tuple(seeds),
        always_right=int((right == 1).sum()),
        flickering=tuple(first.image_id[row] for row in flickering),
        always_wrong=tuple(first.image_id[row] for row in wrong),
        same_wrong=sum(len(Counter(called[:, row].tolist())) == 1 for row in wrong),
        kappa=fleiss_kappa(called),
        churn=tuple(
            Churn(seeds=pair, share=float((one != other).mean()))
            for pair, (one, other) in zip(combinations(seeds, 2), combinations(called, 2), strict=True)
        ),
        right=dict(zip(first.image_id, right.tolist(), strict=True)),
    )


def fleiss_kappa(called: NDArray[np.int64]) -> float | None:
    """Fleiss' kappa of the classes `(S, N)` that S raters gave N images; None where chance explains all."""
    raters, images = called.shape
    counts = np.stack([(called == k).sum(axis=0) for k in range(len(CLASSES))], axis=1)
    observed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    expected = float(((counts.sum(axis=0) / (raters * images)) ** 2).sum())
    return None if expected == 1 else float((observed.mean() - expected) / (1 - expected))
