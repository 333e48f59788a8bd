"""What is kept of an image to compare it with all others: about 19 KB, whatever its size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctexp.data.duplicates.hashes import framed_hashes
from ctexp.data.resize import to_square

SIDE = 112
"""Pixels along a side of the picture that is kept; it is stretched to a square, so aspect does not matter."""


@dataclass(frozen=True, eq=False)
class Signature:
    """One image's.

    Attributes:
        pixels: SHA-256 of shape and grey levels.
        picture: the image brought to `(SIDE, SIDE)`, uint8.
        hashes: of the picture and of what is left when a little is cut off its sides, as
            `ctexp.data.duplicates.hashes` makes them.
    """

    pixels: str
    picture: NDArray[np.uint8]
    hashes: NDArray[np.uint64]


def sign(grey: NDArray[np.uint8], pixels: str) -> Signature:
    """The signature of grey levels, shape (height, width), whose SHA-256 is `pixels`. Threads may call it."""
    picture = to_square(grey, SIDE, "stretch")
    return Signature(pixels, picture, framed_hashes(picture))
