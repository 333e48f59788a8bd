"""Six numbers for the air in the body: lungs, trachea, cavities.

Regions are 4-connected pieces of air inside the body; `body.SPECK` says from which share of the body's area
on a piece, or an island of tissue in it, counts. Shares and counts, not pixels: the same at any size, but for
what is too small to be seen. In a picture without air in a body all are 0.
"""

from dataclasses import dataclass

from skimage.measure import euler_number

from ctexp.data.radiomics.body import Body, air_regions


@dataclass(frozen=True)
class Region:
    """What the columns `region_*` hold.

    Attributes:
        count: how many regions; two lungs that do not touch, and a trachea, are three.
        area: of all regions, over that of the body; 0..1.
        largest: of the largest region, over that of the body; 0..1.
        balance: of the second largest over the largest; 0 where there is one alone.
        contrast: mean of the body's other pixels minus mean of the regions', over 255.
        euler: regions minus islands of tissue in them (a nodule or vessel seen end-on), from scikit-image's
            `euler_number`.
    """

    count: float = 0.0
    area: float = 0.0
    largest: float = 0.0
    balance: float = 0.0
    contrast: float = 0.0
    euler: float = 0.0


def measure(body: Body) -> Region:
    """The air of one picture."""
    air, areas = air_regions(body)
    tissue = body.mask & ~air
    if not len(areas) or not tissue.any():
        return Region()
    size = body.mask.sum()
    return Region(
        count=len(areas),
        area=areas.sum() / size,
        largest=areas[0] / size,
        balance=areas[1] / areas[0] if len(areas) > 1 else 0.0,
        contrast=(body.grey[tissue].mean() - body.grey[air].mean()) / 255,
        euler=euler_number(air, connectivity=1),
    )
