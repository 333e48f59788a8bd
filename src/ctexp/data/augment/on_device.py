"""The applier for GPUs: torch on whole batches that are on the device already."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from ctexp.data.augment.jpeg import recompressed
from ctexp.data.augment.plan import Affine, Noise, Patches, Plan, Slides, Surface, spline_basis
from ctexp.data.augment.sending import sent


class DeviceApplier:
    """Carries out plans on tensors of one device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._bank: tuple[NDArray[np.int16], Tensor] | None = None

    def apply(self, images: Tensor, plan: Plan) -> Tensor:
        """Change a batch; the input is left as it is.

        Args:
            images: grey levels, uint8 (B, height, width), on the device.
            plan: what to do to each.

        Returns:
            uint8 (B, height, width); `images` itself where there is nothing to do.
        """
        if plan.quality is not None:
            images = recompressed(images, self._here(plan.quality))
        if plan.tables is not None:
            levels = self._here(plan.tables).gather(1, images.flatten(1).long())
            images = levels.view(images.shape)
        fill = self._here(plan.fill(len(images))).view(-1, 1, 1)
        match plan.geometry:
            case Slides():
                images = self._slid(images, plan.geometry, fill)
            case Affine():
                images = _sampled(images, self._affine(plan.geometry, *images.shape[1:]), fill)
            case Surface():
                images = _sampled(images, self._surface(plan.geometry, *images.shape[1:]), fill)
        if plan.noise is not None:
            images = self._noisy(images, plan.noise)
        if plan.patches is not None:
            images = self._blanked(images, plan.patches)
        return images

    def _here(self, array: NDArray[np.generic]) -> Tensor:
        return sent(array, self._device)

    def _slid(self, images: Tensor, slides: Slides, fill: Tensor) -> Tensor:
        columns, rows = (
            self._origin(side, slides.flips[:, axis], slides.shifts[:, axis])
            for axis, side in ((0, images.shape[2]), (1, images.shape[1]))
        )
        height, width = images.shape[1:]
        places = torch.arange(len(images), device=self._device)[:, None, None]
        rows, columns = rows[:, :, None], columns[:, None, :]
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        moved = images[places, rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
        return torch.where(inside, moved, fill)

    def _origin(self, side: int, flips: NDArray[np.bool_], shifts: NDArray[np.int64]) -> Tensor:
        """Where each row, or column, of the results comes from, shape (B, side)."""
        origin = torch.arange(side, device=self._device) - self._here(shifts)[:, None]
        return torch.where(self._here(flips)[:, None], side - 1 - origin, origin)

    def _affine(self, affine: Affine, height: int, width: int) -> Tensor:
        source = affine.source * _per_pixel(height, width)[:, :, 0]
        source[:, :, 2] += _first_pixel(height, width)[:, 0, 0]
        of_x, of_y, first = self._here(source).unbind(2)
        x, y = torch.arange(width, device=self._device), torch.arange(height, device=self._device)
        across = of_x[:, None] * x[:, None]
        down = of_y[:, None] * y[:, None] + first[:, None]
        return across.float()[:, None] + down.float()[:, :, None]

    def _surface(self, surface: Surface, height: int, width: int) -> Tensor:
        controls = surface.controls * _per_pixel(height, width) + _first_pixel(height, width)
        rows, columns = self._here(spline_basis(height)), self._here(spline_basis(width))
        # Not in 32 bits: a GPU may be told to multiply those with a mantissa of 10.
        return torch.einsum("hi,bcij,wj->bhwc", rows, self._here(controls), columns).float()

    def _noisy(self, images: Tensor, noise: Noise) -> Tensor:
        if self._bank is None or self._bank[0] is not noise.bank:
            self._bank = noise.bank, self._here(noise.bank)
        pieces = self._bank[1].unfold(0, images[0].numel(), 1)[self._here(noise.offsets)]
        return (images + pieces.view(images.shape)).clamp_(0, 255).to(torch.uint8)

    def _blanked(self, images: Tensor, patches: Patches) -> Tensor:
        height, width = images.shape[1:]
        top, bottom, left, right = self._here(patches.boxes).T[:, :, None]
        rows = torch.arange(height, device=self._device)
        columns = torch.arange(width, device=self._device)
        down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
        levels = self._here(patches.levels).view(-1, 1, 1)
        return torch.where(down[:, :, None] & across[:, None, :], levels, images)


def _per_pixel(height: int, width: int) -> NDArray[np.float64]:
    """How far a pixel's step in x and y is for `grid_sample`, where a side is 2 long; shape (2, 1, 1)."""
    return 2 / np.array([width, height], np.float64)[:, None, None]


def _first_pixel(height: int, width: int) -> NDArray[np.float64]:
    """Where the middle of pixel 0 is, half a pixel inside the edge at -1; shape (2, 1, 1)."""
    return _per_pixel(height, width) / 2 - 1


def _sampled(images: Tensor, grid: Tensor, fill: Tensor) -> Tensor:
    """Bilinear values at the points of a grid.

    Args:
        images: uint8 (B, height, width).
        grid: x and y of the source point of each pixel of the result, as `grid_sample` counts without
            `align_corners`; float32 (B, height, width, 2).
        fill: the grey level around the image, uint8 (B, 1, 1).
    """
    above = images.float().sub_(fill).unsqueeze(1)  # what is outside counts as zero
    sampled = grid_sample(above, grid, align_corners=False).squeeze(1)
    return sampled.add_(fill).round_().to(torch.uint8)
