"""How well a label can be told from a table of numbers: a small forest, cross-validated, with intervals.

No image judges itself or a relative: all rows of a group lie in one fold. Everything is seeded and runs on
one thread, so the same table gives the same figures.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctexp.data.audit.findings import Estimate

FOLDS = 5
FEWEST = 2 * FOLDS
"""Groups of each label that it takes: with fewer a fold would hold one or none."""

ENOUGH = 30
"""Groups of each label that an alarm takes: with fewer, chance alone raises one."""

MOST = 2_000
"""Rows that are used at most: from there on more cost time and tell nothing new of a shortcut."""

ACCURACY_MARGIN, AUROC_MARGIN = 0.10, 0.15
"""How far above a guess an interval must begin to be an alarm. Less comes by chance: of 300 sets of random
numbers (60 to 120 images) 7 would have raised an alarm for shortcuts with margins of 0.05 and 0.10, one does
with these; of 320 comparisons of splits (60 to 100 images) none does."""

_TREES = 50
_LEAF = 1 / 25
"""The smallest leaf's share of the rows (and 5 rows at least), so that no single row is learnt by heart."""

_RESAMPLES = 1_000
_SEED = 20_240


@dataclass(frozen=True)
class Folds:
    """A division of rows into folds, made once and used for several tables."""

    labels: NDArray[np.int64]
    parts: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]


def divide(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Folds:
    """Stratified folds that keep groups whole.

    Args:
        labels: 0..K-1, `(n,)`, each with `FEWEST` groups or more.
        groups: any numbers, `(n,)`.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=_SEED)
    return Folds(labels, tuple(folds.split(np.zeros(len(labels)), labels, groups)))


def out_of_fold(table: NDArray[np.float64], folds: Folds) -> NDArray[np.float64]:
    """Each row's probabilities by a forest that never saw its fold.

    Args:
        table: `(n, columns)`.
        folds: of these rows.

    Returns:
        `(n, K)`.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    scores = np.zeros((len(table), int(folds.labels.max()) + 1))
    for fit, judge in folds.parts:
        leaf = max(5, round(_LEAF * len(fit)))
        # All columns at every node: where only one tells, small trees would hardly meet it otherwise.
        forest = ExtraTreesClassifier(_TREES, min_samples_leaf=leaf, max_features=None, random_state=_SEED)
        forest.fit(table[fit], folds.labels[fit])
        scores[np.ix_(judge, forest.classes_)] = forest.predict_proba(table[judge])
    return scores


def are_few(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    """Whether a label has less than `ENOUGH` groups."""
    return any(len(np.unique(groups[labels == label])) < ENOUGH for label in np.unique(labels))


def accuracy(right: NDArray[np.bool_], guess: float, *, few: bool) -> Estimate:
    """The share of right answers with the Wilson interval.

    Args:
        right: of independent rows, `(n,)`.
        guess: the share that a guess would reach.
        few: whether they are too few for an alarm.
    """
    from scipy.stats import binomtest

    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return _estimate(right.mean(), interval.low, interval.high, guess + ACCURACY_MARGIN, few)


def auroc(scores: NDArray[np.float64], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Estimate:
    """The area under the ROC curve, each label against the rest and averaged, over labels that occur.

    The interval is the percentile interval of a bootstrap that draws whole groups (Field & Welsh 2007).

    Args:
        scores: `(n, K)`, or `(n,)` of label 1 against label 0.
        labels: `(n,)`.
        groups: `(n,)`.
    """
    _, index = np.unique(groups, return_inverse=True)
    count = int(index.max()) + 1
    draws = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    weights = np.vstack([np.ones(len(labels)), draws[:, index]])
    columns = [(scores, labels == 1)] if scores.ndim == 1 else list(_against_the_rest(scores, labels))
    areas = np.mean([weighted_auroc(column, truth, weights) for column, truth in columns], axis=0)
    # A resample may lack a label altogether; it says nothing then.
    low, high = np.nanpercentile(areas[1:], (2.5, 97.5))
    return _estimate(areas[0], low, high, 0.5 + AUROC_MARGIN, are_few(labels, groups))


def _against_the_rest(
    scores: NDArray[np.float64], labels: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    return [(scores[:, label], labels == label) for label in np.unique(labels)]


def weighted_auroc(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probability that a positive scores above a negative, ties for half, under each row of weights.

    Args:
        scores: `(n,)`.
        truth: `(n,)`.
        weights: how often each row counts, `(B, n)`.

    Returns:
        `(B,)`; NaN where one side has no weight.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    positive = np.add.reduceat((weights * truth)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * ~truth)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    total = positive.sum(axis=1) * negative.sum(axis=1)
    won = (positive * (below + negative / 2)).sum(axis=1)
    areas = np.full(len(weights), np.nan)
    np.divide(won, total, out=areas, where=total > 0)
    return areas


def thin(labels: Sequence[str], hashes: Sequence[str]) -> list[int]:
    """Places of at most about `MOST` rows, each label in its proportion but `FEWEST` of it at the least.

    Args:
        labels: of each row.
        hashes: of each row's content, which decide by chance but not by the order of the rows.

    Returns:
        The places in order.
    """
    count = len(labels)
    if count <= MOST:
        return list(range(count))
    places: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(count), key=lambda place: hashes[place]):
        places[labels[place]].append(place)
    return sorted(
        place for mine in places.values() for place in mine[: max(FEWEST, round(len(mine) * MOST / count))]
    )


def _estimate(value: float, low: float, high: float, limit: float, few: bool) -> Estimate:
    alarm = bool(low > limit) and not few
    return Estimate(round(float(value), 4), round(float(low), 4), round(float(high), 4), alarm, few)
