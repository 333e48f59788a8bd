"""How often an epoch shows each image, as functions of (seed, epoch)."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ctexp.data.draws import Purpose, order


class Draws(NamedTuple):
    """What an epoch shows, in its order.

    Attributes:
        images: places in the split, shape (N,).
        rows: of each draw, the row of random numbers that it is augmented by, shape (N,). No two draws of an
            epoch have the same, so that an image shown twice is changed in two ways.
    """

    images: NDArray[np.int64]
    rows: NDArray[np.int64]


class Sampler(Protocol):
    """Decides what an epoch shows; it has as many draws as there are images."""

    @property
    def rows(self) -> int:
        """One more than the largest row of any epoch."""
        ...

    def draws(self, epoch: int) -> Draws:
        """What this epoch, counted from 0, shows."""
        ...


class Uniform:
    """Every image once an epoch."""

    def __init__(self, count: int, seed: int) -> None:
        self.rows = count
        self._seed = seed

    def draws(self, epoch: int) -> Draws:
        """As `Sampler` says."""
        images = order(self._seed, epoch, self.rows)
        return Draws(images, images)


class ClassBalanced:
    """As many draws of each class, but for one: so it is in every epoch, and over all of them.

    The images of a class stand in a circle, shuffled once, and each epoch goes on round it where the one
    before stopped. So an image comes again only after all others of its class, and none is left out for long.

    Args:
        labels: of the images of the split, shape (N,); classes without images take no part.
        seed: the run's seed.
    """

    def __init__(self, labels: NDArray[np.int64], seed: int) -> None:
        self._count = len(labels)
        self._seed = seed
        members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        self._circles = [
            images[order(seed, 0, len(images), Purpose.SAMPLING, index)]
            for index, images in enumerate(members)
        ]
        self.rows = 2 * self._count

    def draws(self, epoch: int) -> Draws:
        """As `Sampler` says; an image's first draw has its own place as its row, as in `Uniform`."""
        images, again = [], []
        for number, circle in enumerate(self._circles):
            first, end = self._until(epoch, number), self._until(epoch + 1, number)
            images.append(circle[np.arange(first, end) % len(circle)])
            again.append(np.arange(end - first) >= len(circle))
        drawn, repeated = np.concatenate(images), np.concatenate(again)
        rows = np.where(repeated, self._count + np.cumsum(repeated) - 1, drawn)
        shuffled = order(self._seed, epoch, self._count)
        return Draws(drawn[shuffled], rows[shuffled])

    def _until(self, epoch: int, number: int) -> int:
        """Draws of a class in all epochs before this one.

        Over the classes these floors sum to N times the epochs (Hermite's identity), so every epoch is full.
        """
        return (epoch * self._count + number) // len(self._circles)
