"""What is kept of an image to compare it with all others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Signature:
    """One image's.

    Attributes:
        pixels: SHA-256 of shape and grey levels.
    """

    pixels: str


def sign(grey: NDArray[np.uint8], pixels: str) -> Signature:
    """The signature of grey levels, shape (height, width), whose SHA-256 is `pixels`."""
    del grey
    return Signature(pixels)
