"""What changed for whom: each class, and the images that went from right to wrong and back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.verdicts.documents import BeforeAfter, ClassChange, Spread


class Changes(NamedTuple):
    """Two joint answers apart; the fields are those of `Candidate`."""

    classes: dict[str, ClassChange]
    newly_wrong: tuple[str, ...]
    newly_right: tuple[str, ...]


def changes(baseline: Answers, candidate: Answers) -> Changes:
    """What became better and worse from one to the other, on the same images in the same order."""
    label = baseline.joint.label
    before, after = baseline.joint_point, candidate.joint_point
    was_right, is_right = (its.joint.logits.argmax(axis=1) == label for its in (baseline, candidate))
    wrong, right = was_right & ~is_right, ~was_right & is_right

    def both(name: str) -> BeforeAfter:
        return BeforeAfter(baseline=before[name], candidate=after[name])

    classes = {
        name: ClassChange(
            images=int((label == k).sum()),
            recall=both(f"recall_{name}"),
            precision=both(f"precision_{name}"),
            f1=both(f"f1_{name}"),
            newly_right=int((right & (label == k)).sum()),
            newly_wrong=int((wrong & (label == k)).sum()),
        )
        for k, name in enumerate(CLASSES)
    }
    return Changes(classes, _ids(baseline.joint, wrong), _ids(baseline.joint, right))


def spreads(answers: Answers, family: tuple[str, ...]) -> dict[str, Spread]:
    """Each metric by seed, and how far the seeds lie apart."""
    told = {}
    for name in family:
        values = {str(seed): its[name] for seed, its in answers.points.items()}
        defined = [value for value in values.values() if value is not None]
        sd = float(np.std(defined, ddof=1)) if len(defined) > 1 else None
        told[name] = Spread(values=values, sd=sd)
    return told


def _ids(table: Predictions, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(table.image_id[row] for row in np.flatnonzero(chosen))
