"""Eight first-order statistics of the grey levels in the body.

With p(k) the share of the body's pixels that have level k, 0..255. None depends on the image's size.
"""

from dataclasses import dataclass

import numpy as np

from ctexp.data.radiomics.body import Body


@dataclass(frozen=True)
class Intensity:
    """What the columns `intensity_*` hold.

    Attributes:
        mean: m = Σ k p(k); grey levels.
        std: s = √Σ (k-m)² p(k); grey levels.
        skewness: Σ (k-m)³ p(k) / s³; 0 where all levels are equal.
        kurtosis: Σ (k-m)⁴ p(k) / s⁴ - 3, the excess over a normal distribution; 0 where all are equal.
        p10: the lowest level that at least 10 % of the pixels do not exceed.
        median: likewise for half of them.
        p90: likewise for 90 %.
        entropy: -Σ p(k) log2 p(k); bits, 0..8.
    """

    mean: float
    std: float
    skewness: float
    kurtosis: float
    p10: float
    median: float
    p90: float
    entropy: float


def measure(body: Body) -> Intensity:
    """The statistics of one picture; over the whole of it where there is no body."""
    counts = np.bincount(body.grey[body.measured], minlength=256)
    levels = np.arange(256)
    shares = counts / counts.sum()
    mean = shares @ levels
    deviations = levels - mean
    variance = shares @ deviations**2
    standardised = deviations / np.sqrt(variance) if np.count_nonzero(counts) > 1 else np.zeros(256)
    p10, median, p90 = np.percentile(levels, (10, 50, 90), weights=counts, method="inverted_cdf")
    present = shares[shares > 0]
    return Intensity(
        mean=mean,
        std=np.sqrt(variance),
        skewness=shares @ standardised**3,
        kurtosis=shares @ standardised**4 - 3 if standardised.any() else 0.0,
        p10=p10,
        median=median,
        p90=p90,
        entropy=-(present @ np.log2(present)),
    )
