"""Fourteen numbers for the detail at two scales: a two-level wavelet transform of the box around the body.

Daubechies' db4, by PyWavelets' `dwt2` with the picture mirrored at the border (mode `symmetric`). Level 1
splits the box into an approximation and three bands of detail of half its side: `lh1` holds edges that run
across (high-pass down the columns), `hl1` edges that run down (high-pass along the rows), `hh1` diagonal
detail. Level 2 splits the approximation likewise; `ll2` is what remains. The source of the transform:
S. Mallat, A theory for multiresolution signal decomposition, IEEE TPAMI 11 (1989) 674-693.

Neither statistic depends on the number of pixels by itself, but both on the scale at which the image was
saved, as the texture features do: level 1 sees detail of two pixels, level 2 of four.
"""

from dataclasses import dataclass

import numpy as np
import pywt
from numpy.typing import NDArray

from ctexp.data.radiomics.body import Body

WAVELET = "db4"
MODE = "symmetric"

_ROUNDING = 1e-6
"""Grey levels; coefficients below it are rounding errors and count as 0."""


@dataclass(frozen=True)
class Wavelet:
    """What the columns `wavelet_*` hold, for each band with coefficients c of number n.

    Attributes:
        ll2_energy: mean of c²; grey levels². A band of a level l enlarges even grey by 2 to the l.
        ll2_entropy: -Σ q log2 q / log2 n with q = c² / Σ c²; 0 where one coefficient has all the energy or
            none has any, 1 where all have the same.
        lh2_energy: likewise, and so on.
    """

    ll2_energy: float
    ll2_entropy: float
    lh2_energy: float
    lh2_entropy: float
    hl2_energy: float
    hl2_entropy: float
    hh2_energy: float
    hh2_entropy: float
    lh1_energy: float
    lh1_entropy: float
    hl1_energy: float
    hl1_entropy: float
    hh1_energy: float
    hh1_entropy: float


def measure(body: Body) -> Wavelet:
    """The detail of one picture; of the whole of it where there is no body."""
    ll1, level1 = pywt.dwt2(body.grey[body.box].astype(np.float64), WAVELET, MODE)
    ll2, level2 = pywt.dwt2(ll1, WAVELET, MODE)
    return Wavelet(*[value for band in (ll2, *level2, *level1) for value in _statistics(band)])


def _statistics(band: NDArray[np.float64]) -> tuple[float, float]:
    """Energy and entropy of a band of at least four coefficients a side."""
    energies = np.where(np.abs(band) < _ROUNDING, 0, band) ** 2
    total = energies.sum()
    if total == 0:
        return 0.0, 0.0
    q = energies[energies > 0] / total
    return total / energies.size, max(0.0, -(q @ np.log2(q)) / np.log2(energies.size))
