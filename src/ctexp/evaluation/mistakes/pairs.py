"""Which class is called which: the confusion matrix off its diagonal, the most frequent pair first."""

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.mistakes.cases import Cases, Share
from ctexp.record.documents import Part


class Confusion(Part):
    """Images of one class that were called another.

    Attributes:
        n: how many.
        rate: of the images of the true class.
    """

    truth: str
    called: str
    n: int
    rate: Share


def confusions(cases: Cases) -> tuple[Confusion, ...]:
    """Every pair that occurs, by count, then by rate; the direction is kept."""
    found = []
    for truth, true_name in enumerate(CLASSES):
        among = cases.label == truth
        for called, called_name in enumerate(CLASSES):
            hits = among & (cases.called == called)
            if truth != called and hits.any():
                rate = cases.share("confusion", hits, among)
                found.append(
                    Confusion(truth=true_name, called=called_name, n=int(np.count_nonzero(hits)), rate=rate)
                )
    return tuple(sorted(found, key=lambda one: (-one.n, -(one.rate.value or 0.0))))
