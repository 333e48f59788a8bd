"""Mixup and cutmix: two images become one, and their labels count in the same shares.

What is mixed is a function of (seed, epoch, position of the batch). Each image takes its share from the one
before it in its batch, whose order is random already.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import betaincinv
from torch import Tensor

from ctexp.data.draws import Purpose, uniform

_LEVELS = 256


class Mixture(Protocol):
    """What is done to one batch."""

    @property
    def kept(self) -> float:
        """The share that each image keeps."""
        ...

    def apply(self, images: Tensor) -> None:
        """Change a batch, uint8 (B, 1, H, W), where it is."""
        ...


class Overlay(NamedTuple):
    """Mixup: each image keeps a share of its grey levels."""

    kept: float

    def apply(self, images: Tensor) -> None:
        """As `Mixture` says; rounded to whole grey levels."""
        own = images.float()
        # The share is a whole number of 256ths, so that all of this is exact, and the same on every device.
        images.copy_(own.roll(1, dims=0).lerp_(own, self.kept).round_())


class Patch(NamedTuple):
    """Cutmix: a rectangle of each image, rows top to bottom and columns left to right, is another's."""

    kept: float
    top: int
    bottom: int
    left: int
    right: int

    def apply(self, images: Tensor) -> None:
        """As `Mixture` says."""
        inside = images[:, :, self.top : self.bottom, self.left : self.right]
        inside.copy_(inside.roll(1, dims=0))


@dataclass(frozen=True)
class Mixing:
    """Draws what is done to each batch; with both kinds, each batch takes either with equal chance.

    Attributes:
        mixup: of Zhang et al. (2018), the parameter of the Beta distribution of the shares; 0 is none.
        cutmix: of Yun et al. (2019), likewise.
        shape: height and width of the images.
        seed: the run's seed.
    """

    mixup: float
    cutmix: float
    shape: tuple[int, int]
    seed: int

    def of(self, epoch: int, position: int) -> Mixture | None:
        """What is done to the batch at this position of an epoch; None where nothing is."""
        if not (self.mixup or self.cutmix):
            return None
        which, share, down, across = uniform(self.seed, epoch, Purpose.MIXING, (1, 4), position)[0]
        overlaid = which < 0.5 if self.mixup and self.cutmix else bool(self.mixup)
        if overlaid:
            return Overlay(round(_LEVELS * _beta(self.mixup, share)) / _LEVELS)
        return self._patch(_beta(self.cutmix, share), down, across)

    def _patch(self, kept: float, down: float, across: float) -> Patch:
        """A rectangle of the image's proportions around any point, cut off at the edges."""
        height, width = self.shape
        side = np.sqrt(1 - kept)
        top, bottom = _span(down, side, height)
        left, right = _span(across, side, width)
        return Patch(1 - (bottom - top) * (right - left) / (height * width), top, bottom, left, right)


def _beta(alpha: float, drawn: float) -> float:
    """A draw in [0, 1) as one of Beta(alpha, alpha)."""
    return float(betaincinv(alpha, alpha, drawn))


def _span(centre: float, length: float, side: int) -> tuple[int, int]:
    """First pixel, and pixel after the last, of a piece around a point; both are given as fractions."""
    pixels = round(length * side)
    first = int(centre * side) - pixels // 2
    return max(first, 0), min(first + pixels, side)
