"""Batches as functions of (seed, epoch, position), so that a stopped training resumes exactly.

Decoded images are already in memory pages, and augmentation costs microseconds; a process pool would only
add start-up time and hidden state. The loader is a plain object with a position that a checkpoint keeps.
"""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctexp.data.augment import Augmentation
from ctexp.data.catalog import ImageRow
from ctexp.data.mixing import Mixing, Mixture
from ctexp.data.pixels import Pixels
from ctexp.data.sampling import Sampler, Uniform
from ctexp.data.shares import Share


class Mix(NamedTuple):
    """What was mixed into a batch: images of these labels (B,), leaving these shares (B,), float32."""

    labels: Tensor
    kept: Tensor

    @classmethod
    def into(cls, labels: Tensor, kept: float) -> "Mix":
        """Into each image of a batch the one before it, leaving so much of its own."""
        return cls(labels.roll(1), torch.full((len(labels),), kept))


class Batch(NamedTuple):
    """What one optimizer step learns from, or a part of it.

    Where several processes compute it together, images and features are those of one share, and labels those
    of all: each process knows what the others answer for.

    Attributes:
        images: uint8 (B, 1, H, W).
        labels: int64 (B,).
        features: float32 (B, k) where a model takes them.
        mix: where images were mixed; their own label counts for the share that was kept.
    """

    images: Tensor
    labels: Tensor
    features: Tensor | None = None
    mix: Mix | None = None

    def mixed(self, mixture: Mixture) -> "Batch":
        """The batch, changed: each image mixed with the one before it, and so are features and labels."""
        mixture.apply(self.images)
        features, kept = self.features, mixture.kept
        if features is not None:
            features = features.roll(1, dims=0).lerp_(features, kept)
        return self._replace(features=features, mix=Mix.into(self.labels, kept))

    def pieces(self, count: int) -> Iterator["Batch"]:
        """The same images in `count` parts, or one an image, whose sizes differ by at most one.

        Those of a share come apart as it was put together, see `Share.of`.
        """
        count = min(count, len(self.labels))
        features = [None] * count if self.features is None else self.features.tensor_split(count)
        mixes: list[Mix | None] = [None] * count
        if self.mix is not None:
            mixes = [Mix(*part) for part in zip(*(of.tensor_split(count) for of in self.mix), strict=True)]
        parts = zip(self.images.tensor_split(count), self.labels.tensor_split(count), strict=True)
        for (images, labels), measured, mix in zip(parts, features, mixes, strict=True):
            yield Batch(images, labels, measured, mix)


class _Targets:
    """What belongs to each image of a split besides its pixels."""

    def __init__(self, labels: NDArray[np.int64], features: NDArray[np.float32] | None) -> None:
        self._labels = labels
        self._features = features

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, images: Tensor, chosen: NDArray[np.int64]) -> Batch:
        """A batch of these images, which are those at `chosen`."""
        features = None if self._features is None else torch.from_numpy(self._features[chosen])
        return Batch(images, self.labels(chosen), features)

    def labels(self, chosen: NDArray[np.int64]) -> Tensor:
        """The labels (B,) of the images at `chosen`."""
        return torch.from_numpy(self._labels[chosen])


class TrainBatches:
    """Shuffled, augmented, mixed batches of one epoch; sizes differ by at most one, and no draw is left out.

    Even batches instead of a small last one keep batch normalisation away from batches of one image.

    Args:
        pixels: the training images.
        labels: their labels (N,).
        augmentation: planned for every batch, wherever the pixels are; for as many rows as the sampler has.
        batch_size: the largest batch.
        seed: with the epoch it decides the order.
        features: a row of numbers for each image (N, k), or None.
        sampler: how often an epoch shows each image; None shows each once.
        mixing: of the images of a batch; None mixes nothing.
    """

    def __init__(
        self,
        pixels: Pixels,
        labels: NDArray[np.int64],
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        features: NDArray[np.float32] | None = None,
        *,
        sampler: Sampler | None = None,
        mixing: Mixing | None = None,
    ) -> None:
        self._pixels = pixels
        self._targets = _Targets(labels, features)
        self._augmentation = augmentation
        self._sampler = sampler or Uniform(len(labels), seed)
        self._mixing = mixing
        self._share = Share()
        self._count = -(-len(labels) // batch_size)
        self._epoch = 0
        self._position = 0
        self._spent = 0.0

    @property
    def sampler(self) -> "TrainBatches":
        """Where Lightning looks for `set_epoch`."""
        return self

    def divide(self, share: Share) -> None:
        """Make of every batch only one share from here on; what is in a batch stays the same."""
        self._share = share

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
        began = time.perf_counter()
        for batch in self._from(self._position):
            self._position += 1
            self._spent += time.perf_counter() - began
            yield batch
            began = time.perf_counter()

    def spent(self) -> float:
        """Seconds that making batches took since this was last asked; a GPU may have computed meanwhile."""
        spent, self._spent = self._spent, 0.0
        return spent

    def again(self) -> Iterator[Batch]:
        """The whole epoch once more, for who only looks: where it stands is left as it is."""
        return self._from(0)

    def _from(self, position: int) -> Iterator[Batch]:
        parts = (np.array_split(of, self._count) for of in self._sampler.draws(self._epoch))
        for number, (chosen, rows) in enumerate(zip(*parts, strict=True)):
            if number < position:
                continue
            mixture = self._mixing.of(self._epoch, number) if self._mixing else None
            made = self._made if self._share.size == 1 else self._made_in_part
            yield made(chosen, rows, mixture)

    def _made(self, chosen: NDArray[np.int64], rows: NDArray[np.int64], mixture: Mixture | None) -> Batch:
        """The images at `chosen`, drawn as `rows` of the epoch."""
        images = self._pixels.augmented(chosen, self._augmentation.plan(self._epoch, rows))
        batch = self._targets.batch(images, chosen)
        return batch if mixture is None else batch.mixed(mixture)

    def _made_in_part(
        self, chosen: NDArray[np.int64], rows: NDArray[np.int64], mixture: Mixture | None
    ) -> Batch:
        """The same, but only this share's images; each is made beside the one that is mixed into it."""
        own = self._share.of(len(chosen))
        needed = own if mixture is None else np.stack([own - 1, own], axis=1).ravel()
        made = self._made(chosen[needed], rows[needed], mixture)
        labels = self._targets.labels(chosen)
        if mixture is None:
            return made._replace(labels=labels)
        features = None if made.features is None else made.features[1::2]
        return Batch(made.images[1::2], labels, features, Mix.into(labels, mixture.kept))

    def state_dict(self) -> dict[str, int]:
        """Epoch and batches handed out, for a checkpoint."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go to where a checkpoint was."""
        self._epoch = state["epoch"]
        self._position = state["position"]


class EvalBatches:
    """Batches in catalog order, untouched by augmentation.

    What it is made of is as `TrainBatches` says.
    """

    def __init__(
        self,
        pixels: Pixels,
        labels: NDArray[np.int64],
        batch_size: int,
        features: NDArray[np.float32] | None = None,
    ) -> None:
        self._pixels = pixels
        self._targets = _Targets(labels, features)
        self._batch_size = batch_size

    @property
    def images(self) -> int:
        """Images in one pass."""
        return len(self._targets)

    def __len__(self) -> int:
        """Batches in one pass."""
        return -(-len(self._targets) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """One pass."""
        for start in range(0, len(self._targets), self._batch_size):
            chosen = np.arange(start, min(start + self._batch_size, len(self._targets)))
            yield self._targets.batch(self._pixels.plain(chosen), chosen)


def labels_of(rows: Sequence[ImageRow]) -> NDArray[np.int64]:
    """The labels (N,) of catalog rows."""
    return np.array([row.label for row in rows], dtype=np.int64)
