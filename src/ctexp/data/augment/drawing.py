"""From amounts to plans: every parameter is a function of (seed, epoch, index), whatever the batch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from ctexp.data.augment.plan import (
    CONTROLS,
    Affine,
    Noise,
    Patches,
    Plan,
    Slides,
    Surface,
    spline_places,
)
from ctexp.data.draws import Purpose, bits, uniform

# How many numbers an image needs for each option. An option's place here is its stream, so that none shifts
# another's draws: new ones come last.
_COLUMNS = {
    "horizontal_flip": 1,
    "vertical_flip": 1,
    "rotation": 1,
    "scale": 1,
    "translate": 2,
    "crop": 2,
    "elastic": 2 * CONTROLS * CONTROLS,
    "brightness": 1,
    "contrast": 1,
    "gamma": 1,
    "jpeg": 1,
    "noise": 1,
    "erasing": 6,
}
_MID_GREY = 127.5
_BANK_PLACES = 2**20  # where a piece of noise can begin; many more than images of an epoch
_ERASED_AREA = (0.02, 0.33)
_ERASED_ASPECT = (0.3, 1 / 0.3)

_Draw = Callable[[str], NDArray[np.float64]]
"""From an option to the batch's numbers in [0, 1), shape (B, columns)."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How much of each change; 0 switches one off. Amounts are drawn evenly and independently.

    Attributes:
        horizontal_flip: the probability of mirroring left and right.
        vertical_flip: the probability of mirroring top and bottom.
        rotation: the largest angle in degrees, either way, about the centre.
        scale: 0.1 enlarges by a factor between 0.9 and 1.1.
        translate: the largest shift in each direction, as a fraction of that side.
        crop: black is put around the image, so wide as a fraction of each side, and the old size cut out
            somewhere: a shift by whole pixels, which leaves grey levels as they are.
        elastic: the largest displacement by a smooth random map (Simard et al., ICDAR 2003), as a fraction of
            the side; up to 0.1 nothing folds over.
        brightness: the largest shift of grey levels, as a fraction of their range.
        contrast: 0.1 stretches grey levels about mid-grey by a factor between 0.9 and 1.1.
        gamma: 0.1 raises grey levels of 0 to 1 to a power between 1 / 1.1 and 1.1.
        jpeg: 0.3 compresses as JPEG of a quality between 100 and 70.
        noise: the standard deviation of Gaussian noise, as a fraction of the range of grey levels.
        erasing: the probability of blanking a rectangle of 2 to 33 % of the area in some grey (Random
            Erasing, Zhong et al., AAAI 2020).
    """

    horizontal_flip: float = 0.0
    vertical_flip: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    translate: float = 0.0
    crop: float = 0.0
    elastic: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    jpeg: float = 0.0
    noise: float = 0.0
    erasing: float = 0.0


class Augmentation:
    """Draws the plans of a training split.

    Args:
        amounts: what to change, how much.
        shape: height and width of the images.
        seed: the run's seed.
        count: how many images the split has; indices are below it.
    """

    def __init__(self, amounts: Amounts, shape: tuple[int, int], seed: int, count: int) -> None:
        self._amounts = amounts
        self._height, self._width = shape
        self._seed = seed
        self._count = count
        self._epoch = -1
        self._drawn: dict[str, NDArray[np.float64]] = {}

    def plan(self, epoch: int, indices: NDArray[np.int64]) -> Plan:
        """What this epoch does to a batch.

        Args:
            epoch: counted from 0.
            indices: the images' places in the split, shape (B,).
        """
        if epoch != self._epoch:
            self._epoch, self._drawn = epoch, {}
        draw = partial(self._uniform, indices)
        return Plan(
            quality=self._quality(draw),
            tables=self._tables(draw),
            geometry=self._geometry(draw),
            noise=self._noise(draw),
            patches=self._patches(draw),
        )

    def _uniform(self, indices: NDArray[np.int64], option: str) -> NDArray[np.float64]:
        if option not in self._drawn:
            stream = list(_COLUMNS).index(option)
            shape = (self._count, _COLUMNS[option])
            self._drawn[option] = uniform(self._seed, self._epoch, Purpose.AUGMENTATION, shape, stream)
        return self._drawn[option][indices]

    def _quality(self, draw: _Draw) -> NDArray[np.int64] | None:
        if not self._amounts.jpeg:
            return None
        steps = max(1, round(100 * self._amounts.jpeg))
        return 100 - _whole(draw("jpeg")[:, 0], steps + 1)

    def _tables(self, draw: _Draw) -> NDArray[np.uint8] | None:
        amounts = self._amounts
        if not (amounts.brightness or amounts.contrast or amounts.gamma):
            return None
        factor = 1 + amounts.contrast * _spread(draw("contrast"))
        shift = 255 * amounts.brightness * _spread(draw("brightness"))
        levels = ((np.arange(256) - _MID_GREY) * factor + _MID_GREY + shift).clip(0, 255)
        if amounts.gamma:
            levels = 255 * (levels / 255) ** ((1 + amounts.gamma) ** _spread(draw("gamma")))
        return np.asarray(np.rint(levels), np.uint8)

    def _geometry(self, draw: _Draw) -> Slides | Affine | Surface | None:
        amounts, side = self._amounts, np.array([self._width, self._height])
        if not (amounts.rotation or amounts.scale or amounts.translate or amounts.elastic):
            if not (amounts.horizontal_flip or amounts.vertical_flip or amounts.crop):
                return None
            return Slides(self._flips(draw), self._crops(draw))
        linear, offset = self._inverse(draw)
        if not amounts.elastic:
            return Affine(np.concatenate([linear, offset[:, :, None]], axis=2))
        places = np.stack(np.meshgrid(spline_places(self._width), spline_places(self._height)))
        straight = np.einsum("bij,jyx->biyx", linear, places) + offset[:, :, None, None]
        bends = amounts.elastic * _spread(draw("elastic")).reshape(straight.shape) * side[:, None, None]
        return Surface(straight + bends)

    def _inverse(self, draw: _Draw) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Per image the affine map from a pixel of the result to a point of the source, (B, 2, 2) and (B, 2).

        The change itself is p' = c + s R F (p - c) + t about the centre c, with flip F, rotation R, scale s
        and shift t; its inverse is p = c + F R^T (p' - c - t) / s.
        """
        amounts, side = self._amounts, np.array([self._width, self._height])
        mirror = np.where(self._flips(draw), -1.0, 1.0)
        angle = np.deg2rad(amounts.rotation) * _spread(draw("rotation")[:, 0])
        factor = 1 + amounts.scale * _spread(draw("scale")[:, 0])
        shift = amounts.translate * _spread(draw("translate")) * side + self._crops(draw)
        cosine, sine = np.cos(angle) / factor, np.sin(angle) / factor
        inverse_rotation = np.stack([cosine, sine, -sine, cosine], axis=1).reshape(-1, 2, 2)
        linear = mirror[:, :, None] * inverse_rotation
        centre = (side - 1) / 2
        return linear, centre - np.einsum("bij,bj->bi", linear, centre + shift)

    def _flips(self, draw: _Draw) -> NDArray[np.bool_]:
        drawn = np.concatenate([draw("horizontal_flip"), draw("vertical_flip")], axis=1)
        return drawn < [self._amounts.horizontal_flip, self._amounts.vertical_flip]

    def _crops(self, draw: _Draw) -> NDArray[np.int64]:
        """Shifts in whole pixels, shape (B, 2); at least one pixel is possible where any is asked for."""
        border = np.rint(self._amounts.crop * np.array([self._width, self._height])).astype(np.int64)
        border = np.maximum(border, int(self._amounts.crop > 0))
        return _whole(draw("crop"), 2 * border + 1) - border

    def _noise(self, draw: _Draw) -> Noise | None:
        if not self._amounts.noise:
            return None
        places = len(self._bank) - self._height * self._width + 1
        return Noise(self._bank, _whole(draw("noise")[:, 0], places))

    @cached_property
    def _bank(self) -> NDArray[np.int16]:
        """Gaussian noise in whole grey levels; two images of an epoch hardly ever get the same piece of it.

        Adding noise to whole grey levels and rounding then is the same, and drawing it for every pixel of
        every image would take a hundred times as long as all else.
        """
        pixels = self._height * self._width
        length = max(_BANK_PLACES, 4 * pixels) + pixels - 1
        generator = np.random.Generator(bits(self._seed, 0, Purpose.NOISE))
        noise = generator.standard_normal(length, dtype=np.float32)
        return np.asarray(np.rint(noise * np.float32(255 * self._amounts.noise)), np.int16)

    def _patches(self, draw: _Draw) -> Patches | None:
        if not self._amounts.erasing:
            return None
        whether, area, aspect, top, left, level = draw("erasing").T
        pixels = _between(area, *_ERASED_AREA) * self._height * self._width
        ratio = np.exp(_between(aspect, *np.log(_ERASED_ASPECT)))
        height = np.rint(np.sqrt(pixels * ratio)).clip(1, self._height).astype(np.int64)
        width = np.rint(np.sqrt(pixels / ratio)).clip(1, self._width).astype(np.int64)
        first_row = _whole(top, self._height - height + 1)
        first_column = _whole(left, self._width - width + 1)
        boxes = np.stack([first_row, first_row + height, first_column, first_column + width], axis=1)
        boxes[whether >= self._amounts.erasing] = 0
        return Patches(boxes, _whole(level, 256).astype(np.uint8))


def _spread(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws in [0, 1) as draws in [-1, 1)."""
    return 2.0 * drawn - 1.0


def _between(drawn: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Draws in [0, 1) as draws in [low, high)."""
    return low + (high - low) * drawn


def _whole(drawn: NDArray[np.float64], count: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Draws in [0, 1) as whole numbers from 0 to count - 1."""
    return (drawn * count).astype(np.int64)
