"""Pictures whose features are known without measuring them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.files import sha256_bytes
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics.body import Body, Mask
from tests.data.rows import row

Grey = NDArray[np.uint8]


def whole(grey: Grey) -> Body:
    """A picture that is all body, without air."""
    everything = np.ones(grey.shape, bool)
    return Body(grey, everything, ~everything)


def only(mask: Mask) -> Body:
    """A body of that outline, without air."""
    return Body(mask.astype(np.uint8) * 200, mask, np.zeros_like(mask))


def ellipse(shape: tuple[int, int], row: float, column: float, b: float, a: float) -> Mask:
    """An upright ellipse of semi-axes b down and a across, around (row, column)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(((x - column) / a) ** 2 + ((y - row) / b) ** 2 <= 1)


def chest(height: int = 120, width: int = 160) -> Grey:
    """A body with two lungs, an island in the larger, and texture: the same on every machine.

    No level is above 215, and all thresholds between lung and wall find the same outlines.
    """
    y, x = np.mgrid[:height, :width]
    shape = (height, width)
    body = ellipse(shape, 0.5 * height, 0.5 * width, 0.4 * height, 0.45 * width)
    lungs = ellipse(shape, 0.5 * height, 0.3 * width, 0.2 * height, 0.12 * width) | ellipse(
        shape, 0.5 * height, 0.68 * width, 0.22 * height, 0.14 * width
    )
    island = ellipse(shape, 0.5 * height, 0.68 * width, 0.05 * height, 0.04 * width)
    picture = 8 + (body & (~lungs | island)) * (140 + (7 * x + 13 * y + x * y // 5) % 61)
    picture = picture + (lungs & ~island) * ((3 * x + 5 * y) % 17)
    return np.asarray(picture, np.uint8)


def noise(seed: int, height: int = 40, width: int = 50) -> Grey:
    """A bright, noisy disc on a dark ground."""
    rng = np.random.default_rng(seed)
    disc = ellipse((height, width), height / 2, width / 2, height / 3, width / 3)
    return np.asarray(rng.integers(0, 60, (height, width)) + 150 * disc, np.uint8)


def save(raw: Path, name: str, grey: Grey) -> ImageRow:
    """Write a PNG into a raw folder where it is not there yet; its row."""
    file = raw / name
    if not file.exists():  # another process may be reading it
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(file)
    content = file.read_bytes()
    sha256 = sha256_bytes(content)
    height, width = grey.shape
    return row(name, content, width=width, height=height, group=sha256[:16])
