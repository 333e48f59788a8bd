"""Images whose label is probably the mistake, by confident learning (Northcutt, Jiang & Chuang 2021).

A class's threshold is the mean probability of the class among the images that carry its label. An image is
counted under the likeliest of the classes whose threshold its probability reaches, and images that come to
stand under another class than their label are suspects: the model is surer of another class than it usually
is of right ones. They are ranked by normalised margin, the probability of the label less that of the
likeliest other class. It finds candidates for a second look, no proofs, and images that are merely hard
are among them.

Probabilities must be out of sample: a network that has learned from an image has learned its label, right or
wrong.
"""

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.mistakes.cases import Cases, class_name
from ctexp.record.documents import Part

_IN_SAMPLE = (
    "the networks have learned from these images, wrong labels included: "
    "use --split val, or a cross-validation"
)
_MANY = 0.2  # of the images; studies of image sets find 0.2 to 10 % of labels wrong (Northcutt et al. 2021)


class Suspect(Part):
    """An image to look at.

    Attributes:
        label: its class in the data set.
        probably: the class it is counted under.
        self_confidence: the probability of its label.
        margin: that less the largest probability of another class, -1 to 1; the lower, the more suspect.
    """

    image_id: str
    label: str
    probably: str
    self_confidence: float
    margin: float


class Mislabelled(Part):
    """What confident learning found.

    Attributes:
        withheld: why it found nothing out; empty where it did.
        said: how to take the list, for a person.
        thresholds: of each class that has images.
        suspects: the most suspect first.
    """

    withheld: str
    said: str
    thresholds: dict[str, float]
    suspects: tuple[Suspect, ...]


def mislabelled(cases: Cases) -> Mislabelled:
    """Look for labels that the other images' labels speak against."""
    if not cases.out_of_sample:
        return Mislabelled(withheld=_IN_SAMPLE, said="", thresholds={}, suspects=())
    if len(np.unique(cases.label)) < 2:
        return Mislabelled(withheld="the images are all of one class", said="", thresholds={}, suspects=())
    levels = thresholds(cases.label, cases.probabilities)
    counted = counted_as(cases.label, cases.probabilities)
    margins = normalised_margin(cases.label, cases.probabilities)
    rows = np.flatnonzero((counted >= 0) & (counted != cases.label))
    found = [
        Suspect(
            image_id=cases.image_id[row],
            label=class_name(cases.label[row]),
            probably=class_name(counted[row]),
            self_confidence=float(cases.probabilities[row, cases.label[row]]),
            margin=float(margins[row]),
        )
        for row in rows[np.argsort(margins[rows], kind="stable")]
    ]
    told = {name: float(level) for name, level in zip(CLASSES, levels, strict=True) if np.isfinite(level)}
    return Mislabelled(
        withheld="", said=_said(len(found), len(cases)), thresholds=told, suspects=tuple(found)
    )


def _said(suspects: int, images: int) -> str:
    if not suspects:
        return "no label is spoken against"
    if suspects > _MANY * images:
        return "so many suspects speak against the model rather than the labels"
    return "candidates for a second look, no proofs: images that are merely hard are among them"


def thresholds(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean probability of each class among the images with its label, `(K,)`; infinite without any."""
    return np.array(
        [
            probabilities[labels == k, k].mean() if (labels == k).any() else np.inf
            for k in range(probabilities.shape[1])
        ]
    )


def counted_as(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class that each image is counted under in the confident joint, `(N,)`; -1 where it is in none."""
    reached = probabilities >= thresholds(labels, probabilities)
    likeliest = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), likeliest, -1)


def normalised_margin(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of each image's label less the largest of the others, `(N,)`, -1 to 1."""
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    return np.asarray(probabilities[rows, labels] - others.max(axis=1))
