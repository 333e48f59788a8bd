"""Where the pixels of a split are, and the applier that works there: the only way from images to batches.

Whoever asks for training images brings the plan of their augmentation; there is no store without an applier.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.data.augment import Plan
from ctexp.data.augment.on_device import DeviceApplier
from ctexp.data.augment.on_host import HostApplier
from ctexp.data.augment.sending import sent

_AT_ONCE = 1024  # images copied to a device in one piece


class Images(Protocol):
    """Decoded images of one split, addressed by position."""

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images (len(indices), H, W): a copy, which will be changed."""
        ...


class Pixels(Protocol):
    """A split's images in batches, uint8 (B, 1, H, W), each in memory that the consumer may keep."""

    def plain(self, indices: NDArray[np.int64]) -> Tensor:
        """The images as they are."""
        ...

    def augmented(self, indices: NDArray[np.int64], plan: Plan) -> Tensor:
        """The images changed by a plan for these indices."""
        ...


class HostPixels:
    """Images in the machine's memory or page cache.

    Args:
        images: the split's images.
        pin: put batches where a GPU can fetch them from while it computes.
    """

    def __init__(self, images: Images, *, pin: bool = False) -> None:
        self._images = images
        self._pin = pin
        self._applier = HostApplier()

    def plain(self, indices: NDArray[np.int64]) -> Tensor:
        """As `Pixels` says."""
        return self._batch(self._images.take(indices))

    def augmented(self, indices: NDArray[np.int64], plan: Plan) -> Tensor:
        """As `Pixels` says."""
        images = self._images.take(indices)
        self._applier.apply(images, plan)
        return self._batch(images)

    def _batch(self, images: NDArray[np.uint8]) -> Tensor:
        batch = torch.from_numpy(images).unsqueeze(1)
        return batch.pin_memory() if self._pin else batch


class DevicePixels:
    """A whole split on one device; batches come into being there.

    Args:
        images: the split's images.
        count: how many they are.
        device: where to keep them; twice their size must be free.
    """

    def __init__(self, images: Images, count: int, device: torch.device) -> None:
        parts = np.array_split(np.arange(count), max(1, -(-count // _AT_ONCE)))
        self._images = torch.cat([torch.from_numpy(images.take(part)).to(device) for part in parts])
        self._applier = DeviceApplier(device)

    def plain(self, indices: NDArray[np.int64]) -> Tensor:
        """As `Pixels` says."""
        return self._taken(indices).unsqueeze(1)

    def augmented(self, indices: NDArray[np.int64], plan: Plan) -> Tensor:
        """As `Pixels` says."""
        return self._applier.apply(self._taken(indices), plan).unsqueeze(1)

    def _taken(self, indices: NDArray[np.int64]) -> Tensor:
        return self._images[sent(indices, self._images.device)]
