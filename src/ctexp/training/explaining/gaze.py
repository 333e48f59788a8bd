"""How much of a map lies outside the body, where there is nothing to see: a shortcut, or chance."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.data.radiomics.body import find_body


class Gaze(NamedTuple):
    """Where a map lies.

    Attributes:
        outside: the share of its mass outside the body, 0..1; None where there is no mass, or no body.
        area: the share of the picture outside the body; None where there is no body.
    """

    outside: float | None
    area: float | None

    @property
    def looks_away(self) -> bool:
        """Whether the map lies outside the body no less than an even one would."""
        return self.outside is not None and self.area is not None and self.outside >= self.area > 0


def gaze(heat: NDArray[np.float32], grey: NDArray[np.uint8]) -> Gaze:
    """Measure a map.

    Args:
        heat: not negative, shape (h, w).
        grey: the picture it is a map of, grey levels 0..255, square; margins of padding are outside.
    """
    body = find_body(grey).mask
    if not body.any():
        return Gaze(None, None)
    spread = enlarged(heat, grey.shape[0])
    total = float(spread.sum())
    return Gaze(float(spread[~body].sum()) / total if total > 0 else None, float((~body).mean()))


def enlarged(heat: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A map as large as its picture, (side, side), bilinear."""
    return np.asarray(cv2.resize(heat, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
