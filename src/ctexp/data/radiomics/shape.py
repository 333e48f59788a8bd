"""Nine numbers for the outline of the body, lungs filled.

All are ratios without a unit and the same at any size, since image size alone tells the classes of the public
data set apart. `area` and `aspect` still see how the picture was cut; the others do not, as long as the body
is whole. Pixels are squares: the body's convex hull is that of their corners. Its perimeter P is Crofton's
estimate in four directions, from scikit-image's `perimeter_crofton`; the rest comes from its `regionprops`.

In a picture without a body all are 0. A body of one pixel is a square.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from skimage.measure import perimeter_crofton, regionprops

from ctexp.data.radiomics.body import Body, Mask


@dataclass(frozen=True)
class Shape:
    """What the columns `shape_*` hold.

    Attributes:
        area: A over the area of the picture; 0..1.
        aspect: width over height of the upright rectangle around it.
        eccentricity: √(1 - b²/a²) of the ellipse with the same second moments; 0 for a disc, below 1.
        extent: A over the area of the upright rectangle around it; π/4 for a disc, at most 1.
        solidity: A over the area of the convex hull; 1 where it is convex.
        circularity: 4πA/P²; 1 for a disc, but for the perimeter's estimate.
        convexity: perimeter of the convex hull over P; 1 where it is convex, but for that estimate.
        inertia: Hu's first invariant, (μ20 + μ02) / A²; 1/2π for a disc, the least there is.
        symmetry: the share of it that lies on itself when mirrored at the upright line through its centroid.
    """

    area: float = 0.0
    aspect: float = 0.0
    eccentricity: float = 0.0
    extent: float = 0.0
    solidity: float = 0.0
    circularity: float = 0.0
    convexity: float = 0.0
    inertia: float = 0.0
    symmetry: float = 0.0


def measure(body: Body) -> Shape:
    """The outline of one picture's body."""
    if not body.mask.any():
        return Shape()
    # With a margin, so that a body at the picture's border has an outline there.
    mask = np.pad(body.mask[body.box], 1)
    outline = regionprops(mask.astype(np.uint8))[0]
    top, left, bottom, right = outline.bbox
    hull = ConvexHull(_corners(mask))  # of two dimensions: its `volume` is an area, its `area` a perimeter
    perimeter = perimeter_crofton(mask, directions=4)
    return Shape(
        area=outline.area / body.mask.size,
        aspect=(right - left) / (bottom - top),
        eccentricity=outline.eccentricity,
        extent=outline.extent,
        solidity=outline.area / hull.volume,
        circularity=4 * np.pi * outline.area / perimeter**2,
        convexity=hull.area / perimeter,
        inertia=outline.moments_hu[0],
        symmetry=_symmetry(mask, outline.centroid[1]),
    )


def _corners(mask: Mask) -> NDArray[np.int64]:
    """The corners of each row's first and last pixel, (row, column): all that a convex hull can touch."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    end = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    return np.concatenate([np.column_stack([rows + step, side]) for step in (0, 1) for side in (first, end)])


def _symmetry(mask: Mask, middle: float) -> float:
    """Mirror at the column `middle`, to half a pixel."""
    columns = np.arange(mask.shape[1])
    mirrored = round(2 * middle) - columns
    inside = (mirrored >= 0) & (mirrored < len(columns))
    both = mask[:, columns[inside]] & mask[:, mirrored[inside]]
    return float(both.sum() / mask.sum())
