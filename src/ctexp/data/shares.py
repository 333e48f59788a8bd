"""Which images of every batch are whose, where several processes compute a step together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Share(NamedTuple):
    """What one of several processes computes of every batch.

    A step is computed in parts, and each part by all processes at once: so each takes its share of every
    part, and shares of one part differ by at most one image.

    Attributes:
        rank: which process, counted from 0.
        size: how many there are.
        pieces: in how many parts a step is computed.
    """

    rank: int = 0
    size: int = 1
    pieces: int = 1

    def of(self, count: int) -> NDArray[np.int64]:
        """The positions (n,) of this share in a batch of `count` images, in order."""
        pieces = np.array_split(np.arange(count), min(self.pieces, count))
        return np.concatenate([np.array_split(piece, self.size)[self.rank] for piece in pieces])
