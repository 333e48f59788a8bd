"""ROC and precision-recall curves: every threshold that makes a difference, equal scores together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctexp.evaluation import scores

Floats = NDArray[np.float64]


class Curves(NamedTuple):
    """One score that tells one kind of image from the rest.

    Attributes:
        false_alarms: 1 - specificity, rising from 0 to 1, `(T,)`.
        sensitivity: `(T,)`; of precision and recall, the recall.
        precision: `(T,)`; NaN where nothing is called.
        auroc: the area; NaN where one side has no images.
        auprc: the average precision.
        share: of the images that are of the kind: the precision of a guess.
    """

    false_alarms: Floats
    sensitivity: Floats
    precision: Floats
    auroc: float
    auprc: float
    share: float


def curves(positive: NDArray[np.bool_], score: Floats) -> Curves:
    """Both curves of a score.

    Args:
        positive: which images are of the kind, `(N,)`.
        score: higher means more likely to be, `(N,)`.
    """
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
    hits = np.r_[0.0, np.cumsum(positive[order])[ends]]
    called = np.r_[0.0, ends + 1.0]
    positives, negatives = np.array([positive.sum()]), np.array([(~positive).sum()])
    auroc, auprc = scores.ranking(positive, score, np.ones((1, len(score))))
    return Curves(
        scores.ratio(called - hits, negatives.astype(np.float64)),
        scores.ratio(hits, positives.astype(np.float64)),
        scores.ratio(hits, called),
        float(auroc[0]),
        float(auprc[0]),
        float(positive.mean()),
    )
