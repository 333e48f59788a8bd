"""Whether answers may be guesses: how often labels dealt anew would fit them as well."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

_DEALS = 6000  # enough for a p-value of 0.05 / 300, the choice among three hundred recipes


def p_value(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """The permutation test of the mean AUROC of the classes against the rest, one-sided.

    The areas do not depend on how often a class is answered, so that a network that always gives one class is
    not taken for a guess as long as its probabilities rank the images. The labels as they are count as one of
    the deals, which makes the test exact (Phipson & Smyth 2010).

    Args:
        labels: true classes, `(N,)`, of independent images.
        probabilities: `(N, K)`.
    """
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    present = [k for k, count in enumerate(counts) if 0 < count < len(labels)]
    if not present:
        return 1.0
    ranks = np.stack([rankdata(probabilities[:, k]) for k in present])
    dealt = np.tile(labels, (_DEALS + 1, 1))
    dealt[1:] = np.random.default_rng(0).permuted(dealt[1:], axis=1)
    areas = np.zeros(len(dealt))
    for row, k in enumerate(present):
        sums = (dealt == k).astype(np.float64) @ ranks[row]
        areas += (sums - counts[k] * (counts[k] + 1) / 2) / (counts[k] * (len(labels) - counts[k]))
    return float((areas[1:] >= areas[0] - 1e-9).sum() + 1) / (_DEALS + 1)
