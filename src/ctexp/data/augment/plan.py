"""What is done to each image of a batch, as plain arrays: drawn once, carried out by either applier.

The steps come in this order, and it is part of what they mean:

    quality    the image is JPEG-compressed and decompressed
    tables     each grey level becomes another: brightness, contrast, gamma
    geometry   the image is moved, by at most one resampling; what comes into sight is what black is by now
    noise      whole numbers are added
    patches    rectangles are blanked

Only the resampling computes with fractions: all other steps take whole grey levels to whole grey levels, so
that two appliers that agree within one grey level there agree within one in the end.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SPANS = 4
"""Spans of the elastic spline along each side: coarse, as the folds of a body are."""

CONTROLS = SPANS + 3
"""Control points of the elastic spline along each side."""


@dataclass(frozen=True)
class Slides:
    """Mirrored, then shifted by whole pixels: no grey level is changed.

    Attributes:
        flips: whether left and right, top and bottom change places; shape (B, 2).
        shifts: pixels to the right and down, shape (B, 2).
    """

    flips: NDArray[np.bool_]
    shifts: NDArray[np.int64]


@dataclass(frozen=True)
class Affine:
    """An affine map of each image.

    Attributes:
        source: from a pixel (x, y) of the result to a point of the source, shape (B, 2, 3).
    """

    source: NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """A smooth map of each image: an affine one with an elastic displacement.

    Both coordinates of the source point are uniform bicubic B-spline surfaces over the result; such a surface
    holds an affine map exactly.

    Attributes:
        controls: control values of x and y of the source point, in pixels, shape (B, 2, rows, columns).
    """

    controls: NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """A piece of a long sequence for each image.

    Attributes:
        bank: grey levels to add, of the whole run, shape (length,).
        offsets: where each image's piece of height × width numbers begins, shape (B,).
    """

    bank: NDArray[np.int16]
    offsets: NDArray[np.int64]


@dataclass(frozen=True)
class Patches:
    """A blank rectangle in each image.

    Attributes:
        boxes: first row, row after the last, first column, column after the last; shape (B, 4). Empty ones
            blank nothing.
        levels: the grey level of each, shape (B,).
    """

    boxes: NDArray[np.int64]
    levels: NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """The changes to one batch of B images; None where nothing of a kind is asked for.

    Attributes:
        quality: of JPEG, 1 to 100, shape (B,).
        tables: the new grey level of each old one, shape (B, 256).
        geometry: how the images are moved.
        noise: what is added to them.
        patches: what is blanked in them.
    """

    quality: NDArray[np.int64] | None
    tables: NDArray[np.uint8] | None
    geometry: Slides | Affine | Surface | None
    noise: Noise | None
    patches: Patches | None

    @property
    def is_empty(self) -> bool:
        """Whether the images stay as they are."""
        steps = (self.quality, self.tables, self.geometry, self.noise, self.patches)
        return all(step is None for step in steps)

    def fill(self, count: int) -> NDArray[np.uint8]:
        """What black has become in each of `count` images, shape (count,)."""
        return np.zeros(count, np.uint8) if self.tables is None else self.tables[:, 0]


@cache
def spline_basis(side: int) -> NDArray[np.float64]:
    """The weight of each control point at each pixel of a side, shape (side, CONTROLS).

    Uniform cubic B-splines (de Boor 1978): weights are not negative and sum to one, so that a displacement is
    never larger than the largest of the control points'.
    """
    at = (np.arange(side) + 0.5) * (SPANS / side)
    span = np.minimum(at.astype(int), SPANS - 1)
    u = at - span
    weights = [(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]
    basis = np.zeros((side, CONTROLS))
    for offset, weight in enumerate(weights):
        basis[np.arange(side), span + offset] = weight / 6
    basis.flags.writeable = False
    return basis


def spline_places(side: int) -> NDArray[np.float64]:
    """The pixels where the control points of a side lie, shape (CONTROLS,); with these values x is itself."""
    return np.arange(-1.0, CONTROLS - 1) * side / SPANS - 0.5
