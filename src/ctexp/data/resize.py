"""Bringing an image of any size to the square that a model takes."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Resize = Literal["pad", "stretch"]
"""`pad` keeps the aspect ratio and fills up with black; `stretch` does not keep it."""


def to_square(grey: NDArray[np.uint8], size: int, resize: Resize) -> NDArray[np.uint8]:
    """Resize grey levels, shape (height, width), to (size, size).

    Shrinking averages over areas, so that fine texture does not turn into moiré; growing is bilinear. With
    `pad` the image lies in the middle; an odd row or column of black is at the bottom or right.
    """
    height, width = grey.shape
    if resize == "stretch":
        return _scaled(grey, size, size)
    factor = size / max(height, width)
    inner = _scaled(grey, max(1, round(height * factor)), max(1, round(width * factor)))
    square = np.zeros((size, size), np.uint8)
    top, left = (size - inner.shape[0]) // 2, (size - inner.shape[1]) // 2
    square[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return square


def _scaled(grey: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Shrink along the axes that are too long, then grow along those that are too short."""
    fewer = (min(width, grey.shape[1]), min(height, grey.shape[0]))
    shrunk = cv2.resize(grey, fewer, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
