"""Pictures of images and of the maps upon them, as small JPEG files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.training.explaining.gaze import enlarged

SIDE = 256
"""Of a picture, in pixels."""

_STRENGTH = 0.6  # of the colour where the map is highest: the picture stays visible
_QUALITY = 80


def plain(grey: NDArray[np.uint8]) -> bytes:
    """Grey levels 0..255 (S, S) as JPEG."""
    return _jpeg(grey)


def overlay(grey: NDArray[np.uint8], heat: NDArray[np.float32]) -> bytes:
    """The same with a map (h, w) upon it: no colour where it is zero, bright where it is highest."""
    strength = enlarged(heat / heat.max(), grey.shape[0]) if heat.any() else np.zeros(grey.shape, np.float32)
    colour = cv2.applyColorMap((255 * strength).astype(np.uint8), cv2.COLORMAP_INFERNO).astype(np.float32)
    share = _STRENGTH * strength[:, :, None]
    mixed = (1 - share) * np.repeat(grey[:, :, None], 3, axis=2) + share * colour
    return _jpeg(mixed.round().astype(np.uint8))


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
