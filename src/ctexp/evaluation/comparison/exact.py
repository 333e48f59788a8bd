"""Tests that need no approximation: McNemar's of paired answers, and Holm's correction for many tests."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from ctexp.record.documents import Part


class McNemar(Part):
    """Which images only one side got right.

    Attributes:
        only_baseline_right: images.
        only_candidate_right: images.
        p: two-sided, exact; that such a split is chance. Images count one by one, grouped or not.
    """

    only_baseline_right: int
    only_candidate_right: int
    p: float


def mcnemar(baseline_right: NDArray[np.bool_], candidate_right: NDArray[np.bool_]) -> McNemar:
    """The exact test of McNemar 1947: discordant images fall to either side like a fair coin.

    Args:
        baseline_right: of each image, `(N,)`.
        candidate_right: of the same images, `(N,)`.
    """
    lost = int(np.count_nonzero(baseline_right & ~candidate_right))
    won = int(np.count_nonzero(candidate_right & ~baseline_right))
    tail = float(bdtr(min(lost, won), lost + won, 0.5))
    return McNemar(only_baseline_right=lost, only_candidate_right=won, p=min(1.0, 2 * tail))


def holm(p: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm 1979), in the order given.

    Calling those at most alpha errs in one or more of the family with probability at most alpha, however the
    tests depend on each other.
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.asarray(p, dtype=np.float64)[order] * factors))
    return [float(value) for value in adjusted]
