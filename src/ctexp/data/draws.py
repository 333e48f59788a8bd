"""Random numbers as functions of (seed, epoch, purpose, index), not of what was drawn before.

So an epoch is shuffled and augmented the same way whatever the batching, the caching, the number of workers
or how often the run was interrupted. The generator is Philox (Salmon et al., SC 2011): counter-based, so
that the key names the epoch and the counter's upper words name the purpose and the image.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What numbers are drawn for; each purpose has a stream of its own."""

    ORDER = 1
    AUGMENTATION = 2
    NOISE = 3
    SPLIT = 4
    SAMPLING = 5
    MIXING = 6


def bits(seed: int, epoch: int, purpose: Purpose, index: int = 0) -> np.random.Philox:
    """The bit generator of one purpose in one epoch; `index` tells streams within it apart."""
    key = np.array([seed, epoch], dtype=np.uint64)
    counter = np.array([0, 0, index, purpose], dtype=np.uint64)
    return np.random.Philox(key=key, counter=counter)


def uniform(
    seed: int, epoch: int, purpose: Purpose, shape: tuple[int, int], index: int = 0
) -> NDArray[np.float64]:
    """Numbers in [0, 1), shape (rows, columns); row i is the same however many rows are drawn.

    `index` tells streams of one purpose apart.
    """
    return np.random.Generator(bits(seed, epoch, purpose, index)).random(shape)


def order(
    seed: int, epoch: int, count: int, purpose: Purpose = Purpose.ORDER, index: int = 0
) -> NDArray[np.int64]:
    """A permutation of `range(count)`, shape (count,): the order in which an epoch visits its images."""
    # By sorting raw 64-bit draws: numpy may change how `permutation` uses its bits, Philox's bits are fixed.
    return np.argsort(bits(seed, epoch, purpose, index).random_raw(count), kind="stable").astype(np.int64)
