"""Areas under ROC and precision-recall curves under many weightings of the groups of images."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ctexp.evaluation import scores
from ctexp.evaluation.comparison.answered import Answered

Floats = NDArray[np.float64]
Weights = NDArray[np.float32] | NDArray[np.float64]


class Ranking:
    """The images of a class and the others, as steps down the ranking of one score.

    A step holds images of the class with equal scores; where only the area under the ROC curve is asked for,
    also those with lower ones down to the next other image, since it does not matter how they are ranked.

    Args:
        positive: which images are of the class, `(N,)`.
        ranked: scores, `(N,)`.
        groups: 0..G-1, `(N,)`.
        count: G.
        merged: whether only the ROC curve is asked for.
    """

    def __init__(
        self, positive: NDArray[np.bool_], ranked: Floats, groups: NDArray[np.int64], count: int, merged: bool
    ) -> None:
        order = np.argsort(-ranked)
        falling, hit, column = ranked[order], positive[order], groups[order]
        level = np.cumsum(np.r_[False, falling[1:] != falling[:-1]])
        hits, misses = (np.bincount(level, side) for side in (hit, ~hit))
        opens = hits > 0
        if merged:
            before = np.r_[False, (hits > 0) & (misses == 0)][:-1]
            opens &= (misses > 0) | ~before
        step = np.cumsum(opens)  # of each level, from 1; 0 for what stands above all steps
        tied = (hits > 0) & (misses > 0)
        steps = int(step[-1])
        shape = steps, count
        row = step[level] - 1
        within = tied[level] & ~hit
        # An other image stands above the step after it, or in the middle of the one it is tied with.
        self._hits = _indicator(row[hit], column[hit], shape)
        self._above = _indicator(row[~hit & ~within] + 1, column[~hit & ~within], (steps + 1, shape[1]))
        self._tied = _indicator(row[within], column[within], shape)
        self._has_ties = bool(within.any())

    def auroc(self, weights: Weights) -> Floats:
        """The area under the ROC curve, `(B,)`, under weights of the groups `(G, B)`."""
        hits, above, tied, others = self._counted(weights)
        lost = np.einsum("rb,rb->b", hits, above)
        if tied is not None:
            lost += np.einsum("rb,rb->b", hits, tied) / 2
        pairs = hits.sum(axis=0) * others
        return scores.ratio(pairs - lost, pairs)

    def auprc(self, weights: Weights) -> Floats:
        """Average precision, `(B,)`, under weights of the groups `(G, B)`; see `scores.ranking`."""
        hits, above, tied, others = self._counted(weights)
        found = np.cumsum(hits, axis=0)
        reached = found + above if tied is None else found + above + tied
        gained = hits * scores.ratio(found, reached)
        value = scores.ratio(np.nansum(gained, axis=0), found[-1])
        return np.where(others > 0, value, np.nan)

    def _counted(self, weights: Weights) -> tuple[Floats, Floats, Floats | None, Weights]:
        """By step: images of the class, others above, others tied with it; and all others.

        Summed in the weights' own precision, single being exact for up to 16 million images.
        """
        between = self._above @ weights
        tied = None
        if self._has_ties:
            tied = self._tied @ weights
            between[1:] += tied
            tied = tied.astype(np.float64)
        above = np.cumsum(between, axis=0, out=between)
        return (self._hits @ weights).astype(np.float64), above[:-1].astype(np.float64), tied, above[-1]


def _indicator(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_matrix:
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)


class Rankings:
    """The classes' rankings of a table, for AUROC and AUPRC where they are asked for.

    Attributes:
        names: which of the two are.
    """

    def __init__(self, said: Answered, family: tuple[str, ...]) -> None:
        self.names = tuple(name for name in scores.RANKED if name in family)
        self._of_classes = {
            name: [
                Ranking(
                    said.labels == k, said.probabilities[:, k], said.groups, said.group_count, name == "auroc"
                )
                for k in np.unique(said.labels)
            ]
            for name in self.names
        }

    def areas(self, weights: Weights) -> Floats:
        """The means over classes under weights of the groups `(G, B)`: `(names, B)`."""
        found = np.empty((len(self.names), weights.shape[1]))
        for row, (name, rankings) in enumerate(self._of_classes.items()):
            of_classes = [getattr(ranking, name)(weights) for ranking in rankings]
            found[row] = scores.mean_of_defined(np.stack(of_classes, axis=1))
        return found
