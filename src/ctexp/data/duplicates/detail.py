"""The second measure: do two pictures, laid over one another, agree in their fine detail?

Two CT slices have ribs, lungs and a heart in like places; only copies of one slice have the same vessels
and the same noise. What is compared is the band of detail between `FINE` and `COARSE`, divided by its own
strength round about, so that a rib's edge counts no more than the grain of a lung, and brightness and
contrast not at all. It is correlated in 8 x 8 tiles; the agreement is what all tiles but the worst seventh
reach. So neither strong edges in common nor the same words burnt in make two slices agree, and a label
drawn on a copy does not part it from its original.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

TILES = 8
"""Tiles along a side."""

FEWEST_TILES = 16
"""Pictures with texture in fewer tiles never agree: there is too little in them to tell."""

FINE, COARSE = 0.7, 2.0
"""Standard deviations, in pixels, of the two Gaussians between which the detail lies."""

_WORST = 0.15  # the part of the tiles that may disagree
_FLOOR = 1.0  # grey levels: weaker detail is not lifted to full strength, it may be rounding
_TEXTURE = 0.3  # standard deviation of a tile's detail, from which on it is compared

Picture = NDArray[np.float32]


def detail(picture: Picture) -> Picture:
    """The fine detail of grey levels, shape (side, side): about 1 in size, where there is any."""
    soft = cv2.GaussianBlur(picture, (0, 0), FINE)
    band = soft - cv2.GaussianBlur(soft, (0, 0), COARSE)
    strength = cv2.GaussianBlur(band * band, (0, 0), COARSE)
    return np.asarray(band / np.sqrt(strength + _FLOOR**2), np.float32)


def agreement(some: Picture, other: Picture) -> float:
    """The correlation that most tiles reach, for two details of one shape, from 0 to 1.

    Only tiles are taken that have texture in both.
    """
    one, two = _tiles(some), _tiles(other)
    strengths = np.stack([one.std(axis=1), two.std(axis=1)])
    textured = strengths.min(axis=0) > _TEXTURE
    if textured.sum() < FEWEST_TILES:
        return 0.0
    correlations = np.sort((one * two).mean(axis=1)[textured] / strengths.prod(axis=0)[textured])
    return float(np.clip(correlations[int(_WORST * len(correlations))], 0, 1))


def _tiles(picture: Picture) -> Picture:
    """Shape (tiles, pixels of a tile), each of mean 0."""
    side = len(picture) // TILES
    tiles = picture.reshape(TILES, side, TILES, side).swapaxes(1, 2).reshape(TILES * TILES, -1)
    return np.asarray(tiles - tiles.mean(axis=1, keepdims=True), np.float32)
