"""Training beside validation: what was learned by heart, and what is better on new images than on its own."""

import math
from collections.abc import Iterator

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.health.facts import column
from ctexp.evaluation.health.rules import FEWEST
from ctexp.evaluation.intervals import wilson
from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.seen import Seen
from ctexp.planning.diagnosis.course import course, mixed
from ctexp.planning.diagnosis.evidence import Training
from ctexp.planning.diagnosis.figures import difference, newcombe

_GAP = 0.15
"""A thousand images always leave a gap, of a few points where all goes well. Where even the lower end of its
interval is above this, the accuracy of training says little of other images."""
_ABOVE = 0.05
"""Validation above training by more than that, of the same mixture of classes, is told."""
_AT_ONCE, _SURELY = 2, 0.9
"""Epochs, and what the lower end of the interval of validation accuracy is above after these."""
_LEAP = 0.3


def learned_by_heart(seen: Seen) -> Iterator[Finding]:
    """At the best epoch training accuracy is far above validation's, weighted to training's classes.

    Told of a training that has ended; the rule of health tells of losses that part ways meanwhile. Training
    accuracy is that of augmented images: the gap is no smaller than it looks.
    """
    if seen.facts is None or seen.trains:
        return
    images = dict(zip(CLASSES, map(float, seen.facts.counts["val"]), strict=True))
    one = course(Training(seen.id, seen.id, seen.rows, seen.facts), seen.shown, images)
    if one is None:
        return
    gap = newcombe(one.train_accuracy, sum(seen.facts.counts["train"]), one.mixed_accuracy, one.mixed_images)
    if not gap[1] > _GAP:
        return
    yield Finding(
        "overfitting",
        "warning",
        (seen.id,),
        f"at its best epoch train/accuracy is {one.train_accuracy:.3f}, that of validation"
        f" {one.mixed_accuracy:.3f}: a gap of {difference(*gap)}",
        "strengthen augment, model.dropout or optimizer.weight_decay, or take a smaller model",
        {"gap": gap[0], "low": gap[1], "high": gap[2], "told_above": _GAP},
        epoch=one.best_epoch,
    )


def above_training(seen: Seen) -> Iterator[Finding | Unknown]:
    """Validation is better than training from the start, where training is not made harder.

    An epoch's training accuracy is the mean over its steps, of a network that is still learning: it is
    compared with validation's of the epoch before, whose network was worse than any of these. Both are of the
    same mixture of classes. Augmented images and dropout lower training's rightly: then nobody can tell.
    """
    if seen.facts is None or len(seen.rows) <= FEWEST:
        return
    if seen.disturbed:
        yield Unknown(
            "validation_above_training", "training accuracy is of augmented images, or with dropout"
        )
        return
    rows, images = list(seen.rows), dict(zip(CLASSES, map(float, seen.facts.counts["val"]), strict=True))
    found, worth = mixed(rows, seen.shown, images)
    if found is None:
        return
    val, train = found[:-1], column(rows, "train/accuracy")[1:]
    high, low = float(np.median(val)), float(np.median(train))
    gap = newcombe(high, worth, low, sum(seen.facts.counts["train"]))
    if not (gap[0] > _ABOVE and gap[1] > 0 and (val > train).mean() >= 0.8):
        return
    yield Finding(
        "validation_above_training",
        "warning",
        (seen.id,),
        f"validation is better than training from the start, though training is not made harder: median"
        f" accuracies {high:.3f} and {low:.3f}, {difference(*gap)}",
        "look for images on both sides, and for labels that are worse in training: inv data-audit",
        {"gap": gap[0], "low": gap[1], "high": gap[2], "epochs_above": float((val > train).mean())},
    )


def too_good(seen: Seen) -> Iterator[Finding]:
    """Nearly every validation image is right at once, or all of a sudden beyond what training knows."""
    if seen.facts is None or len(seen.rows) <= FEWEST:
        return
    rows, total = list(seen.rows), sum(seen.facts.counts["val"])
    accuracy, train = column(rows, "val/accuracy"), column(rows, "train/accuracy")
    first = float(accuracy[:_AT_ONCE].max())
    low = wilson(first, total)[0] if math.isfinite(first) else 0.0
    random = seen.manifest is not None and seen.manifest.weights.source == "random"
    if low > _SURELY:
        yield Finding(
            "implausible",
            "warning",
            (seen.id,),
            f"val/accuracy was {first:.3f} within {_AT_ONCE} epochs (lower end {low:.3f})"
            + (", from random weights" if random else ""),
            "look for what gives the class away (size, border, marks, copies): inv data-audit",
            {"val/accuracy": first, "low": low, "epochs": _AT_ONCE},
            "moderate" if random else "low",
        )
        return
    if seen.disturbed:
        return
    for place in range(1, len(rows) - 1):
        before, after = float(accuracy[place - 1]), float(accuracy[place])
        leap, beyond = newcombe(after, total, before, total), after - float(train[place + 1])
        if leap[0] > _LEAP and leap[1] > _LEAP / 2 and newcombe_low(after, float(train[place + 1]), seen) > 0:
            epoch = int(rows[place]["epoch"] or 0)
            yield Finding(
                "implausible",
                "warning",
                (seen.id,),
                f"val/accuracy leapt from {before:.3f} to {after:.3f} in epoch {epoch}, {beyond:+.3f} beyond"
                " training's of the epoch after",
                "compare what was changed at that epoch (inv show RUN), and audit the images: inv data-audit",
                {"before": before, "after": after, "beyond_training": beyond},
                epoch=epoch,
            )
            return


def newcombe_low(val: float, train: float, seen: Seen) -> float:
    """The lower end of validation less training accuracy."""
    counts = seen.facts.counts if seen.facts else {}
    return newcombe(val, sum(counts["val"]), train, sum(counts["train"]))[1]
