"""JPEG's loss on a device: what compression to a quality and decompression make of grey images, bit for bit.

JPEG loses where the cosine transform of each block of 8 × 8 pixels is divided by a table and rounded; the
coding of the quotients is lossless and left out. Both transforms are libjpeg's accurate integer ones
(Loeffler, Ligtenberg and Moschytz, ICASSP 1989; `jfdctint.c`, `jidctint.c`), which amount to products with
one matrix of whole numbers and a rounding shift after each. Floats of 64 bits hold all of it exactly.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from ctexp.data.augment.sending import sent

_SIDE = 8
# The first half of each basis vector times 2**13, as libjpeg's sums of rounded constants come out; the second
# half mirrors it, in odd vectors with the other sign.
_HALVES = (
    (8192, 8192, 8192, 8192),
    (11363, 9633, 6437, 2260),
    (10703, 4433, -4433, -10703),
    (9633, -2259, -11362, -6436),
    (8192, -8192, -8192, 8192),
    (6437, -11362, 2261, 9633),
    (4433, -10704, 10704, -4433),
    (2260, -6436, 9633, -11363),
)
# The luminance table of ITU-T T.81, annex K.1.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def recompressed(images: Tensor, quality: Tensor) -> Tensor:
    """Grey images after JPEG.

    Args:
        images: uint8 (B, height, width).
        quality: 1 to 100 as libjpeg counts, int64 (B,), on the same device.

    Returns:
        uint8 (B, height, width).
    """
    height, width = images.shape[1:]
    basis = sent(_basis(), images.device)
    steps = sent(_steps(), images.device)[quality][:, None, None]
    # The last row and column are repeated up to whole blocks.
    whole = pad(images.double(), (0, -width % _SIDE, 0, -height % _SIDE), mode="replicate") - 128
    blocks = whole.reshape(len(images), -1, _SIDE, whole.shape[2] // _SIDE, _SIDE).transpose(2, 3)
    wanted = _shifted(basis @ _shifted(blocks @ basis.T, 11), 15)  # in eighths
    kept = wanted.sign() * ((wanted.abs() + 4 * steps) / (8 * steps)).floor() * steps
    levels = (_shifted(_shifted(basis.T @ kept, 11) @ basis, 18) + 128).clamp_(0, 255)
    return levels.transpose(2, 3).reshape(whole.shape)[:, :height, :width].to(torch.uint8)


def _shifted(values: Tensor, bits: int) -> Tensor:
    """Whole numbers divided by 2**bits, rounded as libjpeg does it."""
    return values.add(1 << bits - 1).div(1 << bits).floor()


@cache
def _basis() -> NDArray[np.float64]:
    """The transform's matrix times 2**13, shape (8, 8)."""
    signs = np.where(np.arange(_SIDE) % 2, -1, 1)[:, None]
    halves = np.array(_HALVES)
    return np.concatenate([halves, signs * halves[:, ::-1]], axis=1).astype(np.float64)


@cache
def _steps() -> NDArray[np.float64]:
    """The table for each quality after the Independent JPEG Group, shape (101, 8, 8); the first is unused."""
    quality = np.arange(101).clip(1)[:, None, None]
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return ((np.array(_LUMINANCE) * percent + 50) // 100).clip(1, 255).astype(np.float64)
