"""Batches as functions of (seed, epoch, position), so that a stopped training resumes exactly.

Decoded images are already in memory pages, and augmentation costs microseconds; a process pool would only
add start-up time and hidden state. The loader is a plain object with a position that a checkpoint keeps.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.data.augment import Augmentation
from ctexp.data.draws import order


class Batch(NamedTuple):
    """Images uint8 (B, 1, H, W) and labels int64 (B,)."""

    images: Tensor
    labels: Tensor


class Images(Protocol):
    """Decoded images of one split, addressed by position."""

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images (len(indices), H, W)."""
        ...


def _batch(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Batch:
    return Batch(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels))


class TrainBatches:
    """Shuffled, augmented batches of one epoch; sizes differ by at most one, and no image is left out.

    Even batches instead of a small last one keep batch normalisation away from batches of one image.

    Args:
        images: the decoded training images.
        labels: their labels (N,).
        augmentation: applied to every batch, whatever the cache.
        batch_size: the largest batch.
        seed: with the epoch it decides the order.
    """

    def __init__(
        self,
        images: Images,
        labels: NDArray[np.int64],
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
    ) -> None:
        self._images = images
        self._labels = labels
        self._augmentation = augmentation
        self._seed = seed
        self._count = -(-len(labels) // batch_size)
        self._epoch = 0
        self._position = 0

    @property
    def sampler(self) -> "TrainBatches":
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`; within the same epoch the position stays, which is what a resume needs."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._position = 0

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._count

    def __iter__(self) -> Iterator[Batch]:
        """The rest of the epoch. Lazy: epoch and position are read when the first batch is asked for."""
        indices = order(self._seed, self._epoch, len(self._labels))
        for chosen in np.array_split(indices, self._count)[self._position :]:
            self._position += 1
            images = self._augmentation.apply(self._images.take(chosen), self._epoch, chosen)
            yield _batch(images, self._labels[chosen])

    def state_dict(self) -> dict[str, int]:
        """Epoch and batches handed out, for a checkpoint."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to where a checkpoint was."""
        self._epoch = state["epoch"]
        self._position = state["position"]


class EvalBatches:
    """Batches in catalog order, untouched by augmentation.

    Args:
        images: the decoded images.
        labels: their labels (N,).
        batch_size: the largest batch.
    """

    def __init__(self, images: Images, labels: NDArray[np.int64], batch_size: int) -> None:
        self._images = images
        self._labels = labels
        self._batch_size = batch_size

    def __len__(self) -> int:
        """Batches in one pass."""
        return -(-len(self._labels) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """One pass."""
        for start in range(0, len(self._labels), self._batch_size):
            chosen = np.arange(start, min(start + self._batch_size, len(self._labels)))
            yield _batch(self._images.take(chosen), self._labels[chosen])
