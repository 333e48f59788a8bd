"""How much macro F1 a trouble costs: what it would be if there were nothing of that trouble, less what it is.

Rough, and never reached: errors that are taken away are taken to become right answers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.predictions import Predictions


def of_missed(table: Predictions, classes: Sequence[int], recall: float) -> float:
    """If these classes were found as often as the others are.

    Args:
        table: the answers.
        classes: labels of those that are missed.
        recall: of the others, 0 to 1.
    """
    before = _confusion(table)
    after = before.copy()
    for k in classes:
        missed = before[k].sum() - before[k, k]
        kept = min(1.0, (1 - recall) * before[k].sum() / missed) if missed else 1.0
        after[k] = before[k] * kept
        after[k, k] += before[k].sum() - after[k].sum()
    return _macro_f1(after) - _macro_f1(before)


def of_pair(table: Predictions, pair: tuple[int, int], errors: int) -> float:
    """If two classes were taken for each other only so often.

    Args:
        table: the answers.
        pair: their labels.
        errors: how often, both ways together.
    """
    before = _confusion(table)
    after = before.copy()
    a, b = pair
    together = before[a, b] + before[b, a]
    kept = min(1.0, errors / together) if together else 1.0
    for label, called in ((a, b), (b, a)):
        after[label, label] += (1 - kept) * before[label, called]
        after[label, called] *= kept
    return _macro_f1(after) - _macro_f1(before)


def _confusion(table: Predictions) -> NDArray[np.float64]:
    """Images by class and by what they were called, `(4, 4)`."""
    counts = np.zeros((len(CLASSES), len(CLASSES)))
    np.add.at(counts, (table.label, table.logits.argmax(axis=1)), 1.0)
    return counts


def _macro_f1(confusion: NDArray[np.float64]) -> float:
    """Over the classes that there are images of."""
    present = confusion.sum(axis=1) > 0
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float((2 * np.diag(confusion)[present] / either[present]).mean())
