"""Training beside validation: what was learned by heart, and what is better on new images than on its own."""

import math
from collections.abc import Iterator

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.health.facts import Row, column
from ctexp.evaluation.health.rules import FEWEST
from ctexp.evaluation.intervals import wilson
from ctexp.monitor.finding import Finding, Unknown
from ctexp.monitor.seen import Seen
from ctexp.planning.diagnosis.course import STILL, Course, course, mixed
from ctexp.planning.diagnosis.evidence import Training
from ctexp.planning.diagnosis.figures import difference, newcombe
from ctexp.planning.diagnosis.rules.instability import THROWN

_GAP = 0.15
"""A thousand images always leave a gap, of a few points where all goes well. Where even the lower end of its
interval is above this, the accuracy of training says little of other images."""
_ABOVE = 0.05
"""Validation above training by more than that, of the same mixture of classes, is told."""
_START = 3
"""Epochs that are the start: later a network that is large enough knows any images by heart."""
_AT_ONCE, _SURELY = 2, 0.9
"""Epochs, and what the lower end of the interval of validation accuracy is above after these."""
_LEAP = 0.3
_SHAKEN = 1.2 * math.log(4)
"""The training loss of an epoch is above this where steps did harm: that of knowing nothing is log 4."""


def ended_course(seen: Seen) -> Course | None:
    """How a training that has ended went; None while it trains, and where it is too short to tell."""
    if seen.facts is None or seen.trains:
        return None
    images = dict(zip(CLASSES, map(float, seen.facts.counts["val"]), strict=True))
    return course(Training(seen.id, seen.id, seen.rows, seen.facts), seen.shown, images)


def thrown_off(seen: Seen) -> Iterator[Finding]:
    """First steps threw the network so far off that it never learned much.

    An epoch's training loss was above 1.2 log 4, and validation's above 2 log 4, while it had learned next to
    nothing; in the end the loss is at rest with less than half of the way to all training images gone.
    """
    one = ended_course(seen)
    if one is None or seen.facts is None:
        return
    chance, shaken = seen.facts.majority("train"), float(column(list(seen.rows), "train/loss").max())
    half = chance + 0.5 * (1 - chance)
    lost = one.late_train_accuracy < half and one.train_fall <= STILL
    if lost and one.thrown > THROWN and shaken > _SHAKEN:
        yield Finding(
            "instability",
            "warning",
            (seen.id,),
            f"steps threw it so far off that train/loss was {shaken:.2f} and val/loss {one.thrown:.2f} (no"
            f" knowledge: {math.log(4):.2f}); train/accuracy stopped at {one.late_train_accuracy:.3f}",
            "lower optimizer.lr, or lengthen scheduler.warmup_epochs",
            {"train/loss": shaken, "val/loss": one.thrown, "train/accuracy": one.late_train_accuracy},
            epoch=one.epochs,
        )


def learned_by_heart(seen: Seen) -> Iterator[Finding]:
    """At the best epoch training accuracy is far above validation's, weighted to training's classes.

    Told of a training that has ended; the rule of health tells of losses that part ways meanwhile. Training
    accuracy is that of augmented images: the gap is no smaller than it looks.
    """
    one = ended_course(seen)
    if one is None or seen.facts is None:
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
    facts = seen.facts
    if facts is None or len(seen.rows) <= FEWEST:
        return
    if seen.disturbed:
        yield Unknown(
            "validation_above_training", "training accuracy is of augmented images, or with dropout"
        )
        return
    rows: list[Row] = list(seen.rows)
    images = dict(zip(CLASSES, map(float, facts.counts["val"]), strict=True))
    found, worth = mixed(rows, seen.shown, images)
    if found is None:
        return
    val, train = found[:_START], column(rows, "train/accuracy")[1 : _START + 1]
    high, low = float(np.median(val)), float(np.median(train))
    gap = newcombe(high, worth, low, sum(facts.counts["train"]))
    if not (gap[0] > _ABOVE and gap[1] > 0 and (val > train).all()):
        return
    yield Finding(
        "validation_above_training",
        "warning",
        (seen.id,),
        f"validation is better than training from the start, though training is not made harder: over"
        f" {_START} epochs the median accuracies are {high:.3f} and {low:.3f}, {difference(*gap)}",
        f"look for images on both sides, and for labels that are worse in training: {seen.audit}",
        {"gap": gap[0], "low": gap[1], "high": gap[2], "epochs": _START},
    )


def too_good(seen: Seen) -> Iterator[Finding]:
    """Nearly every validation image is right at once, or all of a sudden beyond what training knows."""
    if seen.facts is None or len(seen.rows) <= FEWEST:
        return
    rows: list[Row] = list(seen.rows)
    total, trained = (sum(seen.facts.counts[split]) for split in ("val", "train"))
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
            f"look for what gives the class away (size, border, marks, copies): {seen.audit}",
            {"val/accuracy": first, "low": low, "epochs": _AT_ONCE},
            "moderate" if random else "low",
        )
        return
    if seen.disturbed:
        return
    for place in range(1, len(rows) - 1):
        before, after = float(accuracy[place - 1]), float(accuracy[place])
        leap, beyond = newcombe(after, total, before, total), after - float(train[place + 1])
        if (
            leap[0] > _LEAP
            and leap[1] > _LEAP / 2
            and newcombe(after, total, float(train[place + 1]), trained)[1] > 0
        ):
            epoch = int(rows[place]["epoch"] or 0)
            yield Finding(
                "implausible",
                "warning",
                (seen.id,),
                f"val/accuracy leapt from {before:.3f} to {after:.3f} in epoch {epoch}, {beyond:+.3f} beyond"
                " training's of the epoch after",
                f"compare what was changed at that epoch (scripts/inv show {seen.id}), and audit the "
                f"images: {seen.audit}",
                {"before": before, "after": after, "beyond_training": beyond},
                epoch=epoch,
            )
            return
