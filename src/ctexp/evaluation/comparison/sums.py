"""What adds up over groups of images, and the metrics that need no more than that."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from ctexp.core.classes import CLASSES
from ctexp.evaluation import scores
from ctexp.evaluation.comparison.answered import Answered

Floats = NDArray[np.float64]
Part = tuple[NDArray[np.int64], NDArray[np.floating[Any]], int]
"""Of each image the row it is added to and what is added; how many rows there are."""

_KINDS = len(CLASSES)
_BEYOND_CELLS = (*scores.RANKED, "loss", "brier", "ece")  # and the names that begin so


class Added:
    """What metrics need that adds up over groups: confusion matrices, losses, calibration gaps.

    Attributes:
        matrix: times weights of groups `(G, B)` gives the sums `(rows, B)`.
        rows: how many.
    """

    def __init__(self, said: Answered, family: tuple[str, ...]) -> None:
        predicted = said.logits.argmax(axis=1)
        shape = said.group_count
        first = np.zeros_like(said.labels)
        once = np.ones(len(first), dtype=np.float32)
        parts: list[Part] = [(said.labels * _KINDS + predicted, once, _KINDS**2)]
        self._places: dict[str, slice] = {}
        for name in family:
            if name == "loss":
                part: Part = first, scores.cross_entropy(said.labels, said.logits), 1
            elif name == "brier":
                part = first, ((said.probabilities - np.eye(_KINDS)[said.labels]) ** 2).sum(axis=1), 1
            elif name == "ece":
                confidence, bins = scores.confidence_bins(said.probabilities)
                part = bins, (predicted == said.labels) - confidence, scores.ECE_BINS
            else:
                continue
            above = sum(count for _, _, count in parts)
            self._places[name] = slice(above, above + part[2])
            parts.append(part)
        self.matrix = vstack(
            [csr_matrix((each, (rows, said.groups)), shape=(count, shape)) for rows, each, count in parts],
            format="csr",
        )
        self.rows: int = self.matrix.shape[0]

    def truth(self, sums: Floats) -> Floats:
        """Images of each class, `(classes, B)`, by sums `(rows, B)`."""
        return np.asarray(sums[: _KINDS**2].reshape(_KINDS, _KINDS, -1).sum(axis=1))

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """Metrics of sums `(rows, B)`: name -> `(B,)`; rankings are not among them."""
        cells = sums[: _KINDS**2].T
        values = of_cells(cells)
        total = cells.sum(axis=1)
        return values | {
            name: scores.ratio(np.abs(sums[rows]).sum(axis=0), total) for name, rows in self._places.items()
        }


def of_cells(cells: Floats) -> dict[str, Floats]:
    """The metrics that need only confusion matrices: images of one cell are one image that counts often.

    Args:
        cells: `(B, 16)`, the row of a matrix being the truth.

    Returns:
        name -> values `(B,)`.
    """
    truth, called = np.divmod(np.arange(_KINDS**2), _KINDS)
    values = scores.weighted(truth, np.eye(_KINDS)[called], cells)
    return {name: of_it for name, of_it in values.items() if not name.startswith(_BEYOND_CELLS)}
