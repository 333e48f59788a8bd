"""Augmentation whose every parameter is a function of (seed, epoch, index).

It works on whole batches of cached grey images and so stands behind every cache: per image one affine map
(flip, rotation, scale, translation, composed about the centre), one table of grey levels (brightness,
contrast) and, where asked for, Gaussian noise. What the map uncovers is black, as the padding is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.data.draws import Purpose, bits, uniform

# One column of uniform draws each, whether the option is on or not, so that none shifts another's draws.
_COLUMNS = 8
_MID_GREY = 127.5


class Augmentation:
    """Random changes to the images of a training split.

    Args:
        horizontal_flip: the probability of mirroring left and right.
        vertical_flip: the probability of mirroring top and bottom.
        rotation: the largest angle in degrees, either way, about the centre.
        scale: 0.1 enlarges by a factor between 0.9 and 1.1.
        translate: the largest shift in each direction, as a fraction of that side.
        brightness: the largest shift of grey levels, as a fraction of their range.
        contrast: 0.1 stretches grey levels about mid-grey by a factor between 0.9 and 1.1.
        noise: the standard deviation of Gaussian noise, as a fraction of the range of grey levels.
        seed: the run's seed.
        count: how many images the split has; indices are below it.

    All amounts are drawn uniformly and independently.
    """

    def __init__(
        self,
        *,
        horizontal_flip: float,
        vertical_flip: float,
        rotation: float,
        scale: float,
        translate: float,
        brightness: float,
        contrast: float,
        noise: float,
        seed: int,
        count: int,
    ) -> None:
        self._flips = np.array([horizontal_flip, vertical_flip])
        self._rotation = np.deg2rad(rotation)
        self._scale = scale
        self._translate = translate
        self._brightness = brightness
        self._contrast = contrast
        self._noise = noise
        self._seed = seed
        self._count = count
        self._drawn: tuple[int, NDArray[np.float64]] | None = None
        self._moves = any((horizontal_flip, vertical_flip, rotation, scale, translate))
        self._recolours = any((brightness, contrast))
        # Threads of OpenCV's own slow such small images down, here and in the process as a whole.
        cv2.setNumThreads(1)

    def apply(self, images: NDArray[np.uint8], epoch: int, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Change a batch as this epoch wants it; the input is left as it is.

        Args:
            images: grey levels, shape (B, height, width).
            epoch: counted from 0.
            indices: the images' places in the split, shape (B,).

        Returns:
            Shape (B, height, width); `images` itself where every option is off.
        """
        if not (self._moves or self._recolours or self._noise):
            return images
        drawn = self._draws(epoch)[indices]
        maps = self._maps(drawn, *images.shape[1:])
        tables = self._tables(drawn)
        changed = np.empty_like(images)
        for place, (image, index) in enumerate(zip(images, indices, strict=True)):
            if self._moves:
                image = _moved(image, maps[place])
            if self._recolours:
                image = cv2.LUT(image, tables[place])
            if self._noise:
                image = self._noisy(image, epoch, int(index))
            changed[place] = image
        return changed

    def _draws(self, epoch: int) -> NDArray[np.float64]:
        """The epoch's uniform draws in [0, 1), shape (count, columns); kept until the next epoch."""
        if self._drawn is None or self._drawn[0] != epoch:
            shape = (self._count, _COLUMNS)
            self._drawn = (epoch, uniform(self._seed, epoch, Purpose.AUGMENTATION, shape))
        return self._drawn[1]

    def _maps(self, drawn: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
        """Per image the affine map from a pixel (x, y) of the result to one of the source, shape (B, 2, 3).

        The change itself is p' = c + s R F (p - c) + t about the centre c, with flip F, rotation R, scale s
        and shift t; its inverse is p = c + F R^T (p' - c - t) / s.
        """
        flips = np.where(drawn[:, 0:2] < self._flips, -1.0, 1.0)
        angle = _spread(drawn[:, 2]) * self._rotation
        factor = 1.0 + _spread(drawn[:, 3]) * self._scale
        shift = _spread(drawn[:, 4:6]) * self._translate * np.array([width, height])
        cosine, sine = np.cos(angle) / factor, np.sin(angle) / factor
        inverse_rotation = np.stack([cosine, sine, -sine, cosine], axis=1).reshape(-1, 2, 2)
        linear = flips[:, :, None] * inverse_rotation
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        offset = centre - np.einsum("bij,bj->bi", linear, centre + shift)
        return np.concatenate([linear, offset[:, :, None]], axis=2)

    def _tables(self, drawn: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Per image the new grey level of each old one, shape (B, 256)."""
        shift = _spread(drawn[:, 6:7]) * self._brightness * 255
        factor = 1.0 + _spread(drawn[:, 7:8]) * self._contrast
        levels = (np.arange(256) - _MID_GREY) * factor + _MID_GREY + shift
        return np.rint(levels).clip(0, 255).astype(np.uint8)

    def _noisy(self, image: NDArray[np.uint8], epoch: int, index: int) -> NDArray[np.uint8]:
        generator = np.random.Generator(bits(self._seed, epoch, Purpose.NOISE, index))
        noise = generator.standard_normal(image.shape, dtype=np.float32) * np.float32(self._noise * 255)
        return np.rint(image + noise).clip(0, 255).astype(np.uint8)


def _spread(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws in [0, 1) as draws in [-1, 1)."""
    return 2.0 * drawn - 1.0


def _moved(image: NDArray[np.uint8], source_of: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = image.shape
    moved = cv2.warpAffine(
        image, source_of, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=0
    )
    return np.asarray(moved, np.uint8)
