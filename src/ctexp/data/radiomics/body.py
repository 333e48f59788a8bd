"""Where the body is in a picture of a chest, and where the air is in the body.

The recipe is the usual one for CT: Otsu's threshold parts tissue from air; the largest connected piece of
tissue is the wall of the body with all that hangs on it; its holes, the lungs among them, belong to the body.
Air is what lies inside the body and is not brighter than the threshold.

Everything is measured in the body and not in the picture: how wide a margin was left around a patient differs
from source to source, and must not tell the classes apart. What remains of the source is its scale, because
grey levels are taken at the resolution at which they were saved.

Known limits: a lung that meets the border of a tightly cut picture is no hole, and so outside; in a
soft-tissue window fat can be darker than the threshold; a bright background is not understood. A picture of
one grey level has no body.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

Mask = NDArray[np.bool_]

SPECK = 0.0005
"""Air and islands in it count from this share of the body's area on: a disc of 7 mm in a body of 700 cm²."""


@dataclass(frozen=True)
class Body:
    """A picture and what was found in it.

    Attributes:
        grey: grey levels 0..255, shape (height, width).
        mask: the body, lungs included, same shape; nothing in a picture of one grey level.
        air: the part of it that is not brighter than the threshold.
    """

    grey: NDArray[np.uint8]
    mask: Mask
    air: Mask

    @cached_property
    def measured(self) -> Mask:
        """The pixels that grey levels are taken from: the body, or the whole picture where there is none."""
        return self.mask if self.mask.any() else np.ones_like(self.mask)

    @cached_property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the smallest rectangle around `measured`."""
        found: tuple[slice, slice] = ndimage.find_objects(self.measured.view(np.uint8))[0]
        return found


def find_body(grey: NDArray[np.uint8]) -> Body:
    """Part a picture, grey levels 0..255 of shape (height, width), into body, air in it, and the rest.

    Tissue is connected through corners too, air only through sides. Of equally large pieces the first wins,
    counted in rows from the top.
    """
    tissue = grey > threshold_otsu(grey)
    if not tissue.any():
        return Body(grey, tissue, tissue)
    pieces = label(tissue, connectivity=2)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    mask = ndimage.binary_fill_holes(pieces == sizes.argmax())
    return Body(grey, mask, mask & ~tissue)


def air_regions(body: Body) -> tuple[Mask, NDArray[np.int64]]:
    """The connected regions of air, without specks.

    Returns:
        The air of all of them, with specks of tissue in it filled, and the regions' areas in pixels, largest
        first.
    """
    smallest = SPECK * body.mask.sum()
    air = _without_specks(body.air, smallest)
    air = ~_without_specks(~air, smallest, connectivity=2)
    areas = np.bincount(label(air, connectivity=1).ravel())[1:]
    return air, np.sort(areas)[::-1]


def _without_specks(mask: Mask, smallest: float, connectivity: int = 1) -> Mask:
    """The pieces of a mask that have at least `smallest` pixels."""
    pieces = label(mask, connectivity=connectivity)
    keep = np.bincount(pieces.ravel()) >= smallest
    keep[0] = False
    return np.asarray(keep[pieces])
