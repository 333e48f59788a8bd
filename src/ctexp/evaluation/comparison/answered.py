"""What one network said of the images, as the statistics need it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ctexp.evaluation import scores
from ctexp.evaluation.predictions import Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers without names.

    Attributes:
        labels: true classes, `(N,)`.
        logits: `(N, 4)`.
        groups: of look-alikes, 0..G-1 without gaps, `(N,)`.
    """

    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    groups: NDArray[np.int64]

    @cached_property
    def probabilities(self) -> Floats:
        """Softmax of the logits, `(N, 4)`."""
        return scores.softmax(self.logits)

    @cached_property
    def group_count(self) -> int:
        """G."""
        return int(self.groups.max()) + 1


@lru_cache(maxsize=64)
def answered(table: Predictions) -> Answered:
    """The same of a table, kept for the tables last asked for: a baseline meets many candidates."""
    return Answered(table.label, table.logits, table.groups)
