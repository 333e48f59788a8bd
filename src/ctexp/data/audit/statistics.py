"""What is measured of a picture without looking at what it shows."""

import cv2
import numpy as np
from numpy.typing import NDArray

STATISTICS = (
    "width",
    "height",
    "aspect ratio",
    "mean brightness",
    "contrast",
    "1st percentile",
    "5th percentile",
    "25th percentile",
    "median brightness",
    "75th percentile",
    "95th percentile",
    "99th percentile",
    "entropy",
    "top border brightness",
    "bottom border brightness",
    "left border brightness",
    "right border brightness",
)
"""The names, in the order `measure` gives the values.

Grey levels 0 to 255; contrast is their standard deviation; entropy is that of their histogram, in bits; a
border is the outermost row or column of pixels, which is where a frame, a crop or a scanner's line shows.
"""

SIZE = STATISTICS[:3]
BORDERS = STATISTICS[-4:]

_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def measure(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The statistics of grey levels, shape (height, width)."""
    height, width = grey.shape
    shares = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.float64) / grey.size
    levels = np.arange(256)
    mean = float(shares @ levels)
    std = float(np.sqrt(shares @ (levels - mean) ** 2))
    below = np.cumsum(shares)
    # The smallest level with at least so much of the picture at or below it; the sum's last digit may be off.
    percentiles = [int(np.searchsorted(below, percent / 100 - 1e-9)) for percent in _PERCENTILES]
    present = shares[shares > 0]
    entropy = float(-(present * np.log2(present)).sum())
    borders = [float(strip.mean()) for strip in (grey[0], grey[-1], grey[:, 0], grey[:, -1])]
    return np.array([width, height, width / height, mean, std, *percentiles, abs(entropy), *borders])
