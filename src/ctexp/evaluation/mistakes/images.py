"""Single images to look at: the mistakes a model was surest of, and those it could not decide."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.mistakes.cases import Cases, class_name
from ctexp.record.documents import Part


class Judged(Part):
    """An image and what was said of it.

    Attributes:
        probabilities: by class.
        margin: how far the first class lies ahead of the second, 0 to 1.
        entropy: of the probabilities, in bits: 0 for certainty, 2 for no idea among four classes.
    """

    image_id: str
    truth: str
    called: str
    probabilities: dict[str, float]
    margin: float
    entropy: float


def judged(cases: Cases, rows: Iterable[int]) -> tuple[Judged, ...]:
    """The images at some places, in their order."""
    margins, entropies = margin(cases), entropy(cases)
    return tuple(
        Judged(
            image_id=cases.image_id[row],
            truth=class_name(cases.label[row]),
            called=class_name(cases.called[row]),
            probabilities=dict(zip(CLASSES, cases.probabilities[row].tolist(), strict=True)),
            margin=float(margins[row]),
            entropy=float(entropies[row]),
        )
        for row in rows
    )


def margin(cases: Cases) -> NDArray[np.float64]:
    """How far each image's likeliest class lies ahead of the next, `(N,)`."""
    ordered = np.sort(cases.probabilities, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def entropy(cases: Cases) -> NDArray[np.float64]:
    """Shannon's entropy of each image's probabilities in bits, `(N,)`."""
    likely = np.maximum(cases.probabilities, np.finfo(np.float64).tiny)
    return np.asarray(np.maximum(-(cases.probabilities * np.log2(likely)).sum(axis=1), 0.0))


def confident_mistakes(cases: Cases) -> NDArray[np.int64]:
    """Places of the wrong answers, the surest first."""
    wrong = np.flatnonzero(cases.wrong)
    return np.asarray(wrong[np.argsort(-cases.confidence[wrong], kind="stable")])


def ambiguous(cases: Cases, below: float = 0.2) -> NDArray[np.int64]:
    """Places of the images whose first two classes lie closer than `below`, the closest first.

    Of equal margins the one with the larger entropy comes first.
    """
    margins = margin(cases)
    order = np.lexsort((-entropy(cases), margins))
    return np.asarray(order[margins[order] < below])
