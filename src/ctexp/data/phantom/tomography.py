"""A parallel-beam CT scanner: projection, photon noise, filtered back-projection.

Formulas: A. C. Kak and M. Slaney, *Principles of Computerized Tomographic Imaging* (IEEE Press, 1988),
chapter 3: line integrals (3.1), the band-limited ramp filter (eq. 61), back-projection (eq. 70).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

WATER = 0.0195
"""Linear attenuation of water per mm, at about 70 keV, the mean energy of a 120 kV beam."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a slice is scanned.

    Args:
        views: projections over 180 degrees, an even number.
        photons: photons that a detector cell would count with nothing in the way.
        cutoff: where the Hann window ends, in units of the detector's Nyquist frequency: 1 is a smooth
            kernel, 2 a sharp one.
    """

    views: int
    photons: float
    cutoff: float

    def scan(self, hu: Image, pixel_mm: float, rng: np.random.Generator) -> Image:
        """Return the slice `hu` as this scanner would show it, in Hounsfield units.

        Args:
            hu: the true slice, shape (N, N); what lies outside the inscribed circle is taken for air.
            pixel_mm: the side of a pixel.
            rng: the source of the photon noise.
        """
        across = np.arange(len(hu), dtype=np.float32) - (len(hu) - 1) / 2
        outside = np.hypot(across[:, np.newaxis], across) > len(hu) / 2 - 1
        attenuation = np.where(outside, 0, WATER * (1 + hu / 1000)).astype(np.float32)
        measured = count_photons(project(attenuation, self.views) * np.float32(pixel_mm), self.photons, rng)
        seen = 1000 * (reconstruct(measured / np.float32(pixel_mm), self.cutoff) / np.float32(WATER) - 1)
        seen[outside] = -1000
        return seen


def project(image: Image, views: int) -> Image:
    """The Radon transform: sums along parallel lines, in units of pixels.

    One rotation of the image serves two views, since the sums of its columns and of its rows are
    projections a right angle apart.

    Args:
        image: shape (N, N); what lies outside the inscribed circle may be cut off.
        views: an even number of angles, equally spaced over 180 degrees.

    Returns:
        Line integrals, shape (views, N).
    """
    size, quarter = image.shape[0], views // 2
    sinogram = np.empty((views, size), np.float32)
    for view in range(quarter):
        turned = _turn(image, np.pi * view / views)
        sinogram[view] = turned.sum(axis=0)
        sinogram[quarter + view] = turned.sum(axis=1)
    return sinogram


def count_photons(line_integrals: Image, photons: float, rng: np.random.Generator) -> Image:
    """Replace exact line integrals by measured ones: Beer-Lambert, Poisson counts, logarithm."""
    counts = rng.poisson(photons * np.exp(-line_integrals))
    return np.log(photons / np.maximum(counts, 1)).astype(np.float32)


def reconstruct(sinogram: Image, cutoff: float) -> Image:
    """Filtered back-projection, the inverse of `project`.

    Args:
        sinogram: line integrals in units of pixels, shape (views, N).
        cutoff: see `Scanner`.

    Returns:
        The image, shape (N, N).
    """
    views, size = sinogram.shape
    quarter = views // 2
    filtered = _filter(sinogram, cutoff)
    image = np.zeros((size, size), np.float32)
    for view in range(quarter):
        smeared = filtered[view][np.newaxis, :] + filtered[quarter + view][:, np.newaxis]
        image += _turn(smeared, -np.pi * view / views)
    return image * np.float32(np.pi / views)


def _filter(sinogram: Image, cutoff: float) -> Image:
    """Convolve each view with the band-limited ramp, softened by a Hann window."""
    size = sinogram.shape[1]
    padded = scipy.fft.next_fast_len(2 * size, real=True)
    lag = np.fft.fftfreq(padded, 1 / padded)
    odd = lag % 2 == 1
    ramp = np.zeros(padded)
    ramp[0] = 0.25
    # Sampled in space, not as |f|: the latter loses the mean and turns the whole slice darker.
    ramp[odd] = -1 / (np.pi * lag[odd]) ** 2
    frequency = np.arange(padded // 2 + 1) / (padded / 2)
    hann = np.where(frequency <= cutoff, 0.5 + 0.5 * np.cos(np.pi * frequency / cutoff), 0)
    response = (scipy.fft.rfft(ramp).real * hann).astype(np.float32)
    filtered = scipy.fft.irfft(scipy.fft.rfft(sinogram, padded, axis=1) * response, padded, axis=1)
    return np.ascontiguousarray(filtered[:, :size], np.float32)


def _turn(image: Image, angle: float) -> Image:
    """Rotate a square image about its centre by `angle` radians, zero outside."""
    size = image.shape[0]
    centre = (size - 1) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array(
        [
            [cosine, -sine, centre * (1 - cosine + sine)],
            [sine, cosine, centre * (1 - cosine - sine)],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (size, size), flags=flags).astype(np.float32, copy=False)
