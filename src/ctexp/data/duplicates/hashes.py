"""Perceptual hashes of a picture, whole and with its sides cut a little.

A perceptual hash (phash: C. Zauner, *Implementation and Benchmarking of Perceptual Image Hash Functions*,
2010) is the signs of a picture's lowest frequencies. It does not mind another encoding, size or brightness,
but it does mind a cut: 3 % off two sides turn as many bits as another patient does. So each picture gets 81
hashes, one for each way to cut 0, 1.5 or 3 % off its four sides, and a cropped copy is found among them.
One product with a matrix of cosines on either side makes them all.
"""

from functools import cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

CUTS = (0.0, 0.015, 0.03)
"""Parts of a side that are cut off at either end."""

WORDS = 4
"""A hash has so many words of 64 bits."""

_GRID = 64  # pixels along a side that the frequencies are taken of
_FREQUENCIES = 24  # half cycles along a side, beyond the highest that is used


def framed_hashes(picture: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hashes of a square picture.

    Returns:
        `(3, 3, 3, 3, WORDS)`: along the first four axes what of `CUTS` is cut off top, bottom, left, right.
    """
    small = cv2.resize(picture, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = _product(_product(_cosines(), small), _cosines().T)
    frames = len(CUTS) ** 2
    signs = waves.reshape(frames, _FREQUENCIES, frames, _FREQUENCIES).transpose(0, 2, 1, 3) > 0
    bits = signs.reshape(frames * frames, -1).take(_lowest(), axis=1)
    words = np.packbits(bits, axis=1).view(np.uint64)
    return words.reshape(*[len(CUTS)] * 4, WORDS)


def distances(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits differ, for hashes along the last axis."""
    return np.asarray(np.bitwise_count(some ^ others).sum(axis=-1, dtype=np.int64))


def placement(cuts: tuple[int, ...], side: int) -> NDArray[np.float32]:
    """Where a pixel of the cut picture, stretched to the same size, lies in the whole one.

    Args:
        cuts: places in `CUTS` for top, bottom, left, right.
        side: pixels along a side of both.

    Returns:
        An affine map, shape (2, 3), from (x, y) of the cut picture to (x, y) of the whole one, in pixels.
    """
    top, bottom, left, right = (CUTS[cut] for cut in cuts)
    across, down = 1 - left - right, 1 - top - bottom
    # Pixel centres lie at halves.
    return np.array(
        [
            [across, 0, side * left + (across - 1) / 2],
            [0, down, side * top + (down - 1) / 2],
        ],
        np.float32,
    )


def _product(some: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix product by OpenCV: NumPy's starts threads of its own in every thread that calls it."""
    nothing = np.empty((0, 0), np.float32)
    return np.asarray(cv2.gemm(some, other, 1, nothing, 0), np.float32)


@cache
def _cosines() -> NDArray[np.float32]:
    """For each frame along a side and each frequency: its half cycles over the frame, nothing outside it.

    Averaged over each pixel, so that a frame may begin within one.
    """
    edges = np.arange(_GRID + 1) / _GRID
    frequency = np.arange(_FREQUENCIES)[:, np.newaxis]
    rows = []
    for begin, end in product(CUTS, CUTS):
        inside = np.clip((edges - begin) / (1 - begin - end), 0, 1)
        integral = np.where(frequency == 0, inside, np.sinc(frequency * inside) * inside)
        rows.append(np.diff(integral, axis=1))
    return np.concatenate(rows).astype(np.float32)


@cache
def _lowest() -> NDArray[np.intp]:
    """The 256 lowest frequencies but the mean, the lowest first."""
    along = np.arange(_FREQUENCIES)
    radius = np.hypot(along[:, np.newaxis], along).ravel()
    return np.argsort(radius, kind="stable")[1 : 64 * WORDS + 1]
