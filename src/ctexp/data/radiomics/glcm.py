"""Haralick's thirteen textural features, of grey levels that lie side by side in the body.

The 256 grey levels are cut into 32 bins of eight, numbered 1..32 as in the paper: fixed bins, so that a
column means the same in every picture. For each of four directions (0°, 45°, 90°, 135°; distance one pixel),
p(i,j) is the share of neighbouring pairs that have levels i and j, both ways round, both pixels in the body.
A column is the mean of its feature over the directions. The matrices come from scikit-image's `graycomatrix`.

The features are those of R. M. Haralick, K. Shanmugam, I. Dinstein, Textural features for image
classification, IEEE Trans. Syst. Man Cybern. SMC-3 (1973) 610-621, in their order. Two are read as most read
them: sum variance is taken about the sum average, where the paper says sum entropy, and difference variance
is that of |i-j|. Entropies are in bits, in information measure 2 too, where nats would make it a correlation.
All of it as in mahotas with `use_x_minus_y_variance`, to which the tests compare every column.

None depends on the image's size in pixels by itself, but all on the scale at which it was saved: pixels of an
enlarged picture are more like their neighbours.
"""

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.feature import graycomatrix

from ctexp.data.radiomics.body import Body

LEVELS = 32
ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)

_BIN = 256 // LEVELS


@dataclass(frozen=True)
class Glcm:
    """What the columns `glcm_*` hold.

    m and s are mean and standard deviation of the levels, whose distribution is px; px+y and px-y are the
    distributions of i+j and |i-j|; H is the entropy of a distribution.

    A direction in which no two pixels are neighbours is left out; in a body of one pixel all are, and every
    feature is 0.

    Attributes:
        angular_second_moment: Σ p(i,j)²; 0..1.
        contrast: Σ (i-j)² p(i,j); bins².
        correlation: Σ (i-m)(j-m) p(i,j) / s²; -1..1, and 1 where all levels are equal.
        variance: sum of squares, Σ (i-m)² p(i,j); bins².
        homogeneity: inverse difference moment, Σ p(i,j) / (1 + (i-j)²); 0..1.
        sum_average: a = Σ k px+y(k); bins, 2..64.
        sum_variance: Σ (k-a)² px+y(k); bins².
        sum_entropy: of px+y; bits.
        entropy: of p; bits.
        difference_variance: of |i-j|; bins².
        difference_entropy: of px-y; bits.
        information_1: information measure of correlation 1, (H(p) - H') / H(px), with H' the cross entropy
            of p and px·px; -1..0, and 0 where all levels are equal.
        information_2: information measure of correlation 2, √(1 - exp(-2 (H(px·px) - H(p)))); 0..1.
    """

    angular_second_moment: float = 0.0
    contrast: float = 0.0
    correlation: float = 0.0
    variance: float = 0.0
    homogeneity: float = 0.0
    sum_average: float = 0.0
    sum_variance: float = 0.0
    sum_entropy: float = 0.0
    entropy: float = 0.0
    difference_variance: float = 0.0
    difference_entropy: float = 0.0
    information_1: float = 0.0
    information_2: float = 0.0


def measure(body: Body) -> Glcm:
    """The features of one picture; of the whole of it where there is no body."""
    bins = np.where(body.measured, body.grey // _BIN + 1, 0)[body.box]
    counts = graycomatrix(bins, [1], ANGLES, LEVELS + 1, symmetric=True)[1:, 1:, 0]
    features = [astuple(_features(matrix)) for matrix in np.moveaxis(counts, -1, 0) if matrix.any()]
    return Glcm(*np.mean(features, axis=0).tolist()) if features else Glcm()


def _features(counts: NDArray[np.uint32]) -> Glcm:
    """The features of one direction.

    Args:
        counts: how often levels i and j are neighbours, both ways round; shape (32, 32), level 1 first.
    """
    p = counts / counts.sum()
    levels = np.arange(1, LEVELS + 1)
    difference = np.abs(levels[:, None] - levels)
    px = p.sum(0)
    pairs = np.outer(px, px)
    sums = np.bincount((levels[:, None] + levels).ravel(), p.ravel())
    differences = np.bincount(difference.ravel(), p.ravel())
    deviations = levels - px @ levels
    variance = px @ deviations**2
    of_one_level = np.count_nonzero(px) == 1
    sum_average, sum_variance = _moments(sums)
    _, difference_variance = _moments(differences)
    entropy, marginal_entropy = _entropy(p), _entropy(px)
    cross_entropy = -np.sum(p[p > 0] * np.log2(pairs[p > 0]))
    information = max(0.0, _entropy(pairs) - entropy)
    return Glcm(
        angular_second_moment=np.sum(p**2),
        contrast=np.sum(p * difference**2),
        correlation=1.0 if of_one_level else deviations @ p @ deviations / variance,
        variance=variance,
        homogeneity=np.sum(p / (1 + difference**2)),
        sum_average=sum_average,
        sum_variance=sum_variance,
        sum_entropy=_entropy(sums),
        entropy=entropy,
        difference_variance=difference_variance,
        difference_entropy=_entropy(differences),
        information_1=0.0 if of_one_level else (entropy - cross_entropy) / marginal_entropy,
        information_2=np.sqrt(1 - np.exp(-2 * information)),
    )


def _moments(p: NDArray[Any]) -> tuple[float, float]:
    """Mean and variance of a distribution over 0, 1, 2, ..."""
    values = np.arange(len(p))
    mean = float(p @ values)
    return mean, float(p @ (values - mean) ** 2)


def _entropy(p: NDArray[Any]) -> float:
    """In bits; what has no probability adds nothing."""
    present = p[p > 0]
    return float(-(present @ np.log2(present)))
