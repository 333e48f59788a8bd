"""The areas under the ROC curves of two scores for the same images, and whether they differ.

An area is the mean, over the images of the class, of the share of the others they are ranked above, and at
the same time the mean over the others of the share of the class that is ranked above them. How much these
placements spread gives the variance of the area (DeLong, DeLong & Clarke-Pearson 1988), by sorting in O(N log
N) (Sun & Xu 2014). Images of one group are no independent witnesses: theirs are summed first (Obuchowski
1997), which is DeLong's formula where every group is one image.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ctexp.evaluation.intervals import Z
from ctexp.record.documents import Part

Floats = NDArray[np.float64]


class DeLong(Part):
    """Two areas under the ROC curve.

    Attributes:
        auc_baseline: 0..1.
        auc_candidate: 0..1.
        difference: candidate less baseline.
        low: of the 95 % interval of the difference; None where the data show no variance of it.
        high: of the same.
        p: two-sided; None where the data show no variance and yet a difference.
        note: why something is None; empty otherwise.
    """

    auc_baseline: float
    auc_candidate: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    note: str


def delong(
    positive: NDArray[np.bool_], baseline: Floats, candidate: Floats, groups: NDArray[np.int64]
) -> DeLong:
    """Compare the areas of two scores.

    Args:
        positive: which images are of the class, `(N,)`; some are and some are not.
        baseline: scores, higher means more likely of the class, `(N,)`.
        candidate: likewise.
        groups: of look-alikes, 0..G-1 without gaps, `(N,)`.
    """
    placed = [placements(positive, side[None], np.ones(1))[0] for side in (baseline, candidate)]
    before, after = (float(of_them[positive].mean()) for of_them in placed)
    difference = after - before
    variance = _variance(positive, placed[1] - placed[0], difference, groups)
    low = high = p = None
    note = ""
    if np.array_equal(placed[0], placed[1]):
        p, note = 1.0, "both rank every image alike"
    elif variance is None:
        note = "the images of the class, or the others, are of one group alone"
    elif variance < 1e-24:
        note = "every image says the same difference"
    else:
        error = float(np.sqrt(variance))
        low, high = difference - Z * error, difference + Z * error
        p = 2 * float(ndtr(-abs(difference) / error))
    return DeLong(
        auc_baseline=before, auc_candidate=after, difference=difference, low=low, high=high, p=p, note=note
    )


def placements(positive: NDArray[np.bool_], scores: Floats, shares: Floats) -> Floats:
    """How well each answer is placed among all answers for the other side, equal scores by half.

    Args:
        positive: which images are of the class, `(N,)`.
        scores: of one or more tables, `(tables, N)`.
        shares: by how much each table counts among the others, `(tables,)`.

    Returns:
        `(tables, N)`, 0..1: for an image of the class the share of the others below it, for another image the
        share of the class above it.
    """
    order = np.argsort(scores, axis=None)
    rising, of_class = scores.ravel()[order], np.tile(positive, len(scores))[order]
    weights = np.repeat(shares / shares.sum(), len(positive))[order]
    level = np.cumsum(np.r_[False, rising[1:] != rising[:-1]])
    below = []
    for side in (of_class, ~of_class):
        at = np.bincount(level, weights * side)
        below.append(((np.cumsum(at) - at / 2) / at.sum())[level])
    placed = np.empty(scores.size)
    placed[order] = np.where(of_class, below[1], 1 - below[0])
    return placed.reshape(scores.shape)


def _variance(
    positive: NDArray[np.bool_], placed: Floats, area: float, groups: NDArray[np.int64]
) -> float | None:
    """The variance of a difference of areas by what the groups contribute; None with one group on a side."""
    count = int(groups.max()) + 1
    centred = placed - area
    sides = [np.bincount(groups[side], centred[side], minlength=count) for side in (positive, ~positive)]
    holding = [len(np.unique(groups[side])) for side in (positive, ~positive)]
    sizes = [np.count_nonzero(side) for side in (positive, ~positive)]
    if min(holding) < 2:
        return None
    own = sum(
        held / (held - 1) * float(sums @ sums) / size**2
        for sums, held, size in zip(sides, holding, sizes, strict=True)
    )
    shared = count / (count - 1) * float(sides[0] @ sides[1]) / (sizes[0] * sizes[1])
    return max(0.0, own + 2 * shared)
