"""How a training went, in the few figures that under- and overfitting are told from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.health.facts import Row, column, noise
from ctexp.evaluation.health.monitor import Change, Monitor
from ctexp.evaluation.health.rules import FEWEST, Finding
from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.evidence import Evidence, Training
from ctexp.planning.diagnosis.figures import newcombe

STILL = 0.05
"""A loss that fell by more than this share of itself over the last quarter was still falling; the rule of
health calls a training loss that falls by less at rest."""
_CALMED = 7  # epochs, by whose five second differences a noise is told
_HALF = 0.5
"""Of the way from always answering the largest class to all images right."""


@dataclass(frozen=True)
class Course:
    """A training from its end.

    Attributes:
        name: of the training.
        holding: what the rules of health found and found still at the last epoch, by rule.
        began: whatever they found at any epoch, by rule.
        epochs: trained.
        whole: whether it trained as long as it was allowed to, and did not stop early.
        best_epoch: by the metric that selects, counted from 1.
        train_accuracy: around the best epoch, the median of three.
        val_accuracy: likewise.
        mixed_accuracy: validation's around the best epoch, if its classes came as often as training shows
            them; worth that of `mixed_images` images.
        late_train_accuracy: of the last three epochs.
        late: epochs of the last quarter; a few more of a short training.
        train_fall: by which share of itself the training loss fell over these; val_fall likewise.
        late_best: whether the best epoch is one of these.
        thrown: the largest validation loss of an epoch that had learned next to nothing; 0 without any.
        val_noise: standard deviation of validation accuracy about its trend, in the second half: at first
            sound trainings jump as well; `val_loss_noise` of the loss.
    """

    name: str
    holding: Mapping[str, Finding]
    began: Mapping[str, Finding]
    epochs: int
    whole: bool
    best_epoch: int
    train_accuracy: float
    val_accuracy: float
    mixed_accuracy: float
    mixed_images: float
    late_train_accuracy: float
    late: int
    train_fall: float
    val_fall: float
    late_best: bool
    thrown: float
    val_noise: float
    val_loss_noise: float


@lru_cache(maxsize=1)  # four rules ask, one after the other
def courses(seen: Evidence) -> tuple[Course, ...]:
    """Of every training that has enough epochs to be judged."""
    found = []
    for one in seen.trainings:
        part = witnesses(seen, "val")
        images = {name: part * count for name, count in zip(CLASSES, one.facts.counts["val"], strict=True)}
        found.append(course(one, _training_mix(one, seen), images))
    return tuple(one for one in found if one is not None)


def mixes(seen: Evidence) -> bool:
    """Whether training accuracy is that of mixed images, which nobody can get all right."""
    return any((seen.incumbent.settings.get(f"augment.{kind}") or 0) > 0 for kind in ("mixup", "cutmix"))


def course(training: Training, mix: Mapping[str, float], images: Mapping[str, float]) -> Course | None:
    """None with `FEWEST` epochs or fewer, or where the history lacks a column.

    Args:
        training: which one.
        mix: the share of each class in what training shows.
        images: independent validation images of each class.
    """
    rows, facts = list(training.rows), training.facts
    if len(rows) <= FEWEST:
        return None
    monitored = column(rows, facts.monitor) * (1 if higher_is_better(facts.monitor) else -1)
    columns = {
        name: column(rows, name) for name in ("train/loss", "val/loss", "train/accuracy", "val/accuracy")
    }
    if not all(np.isfinite(values).all() for values in (monitored, *columns.values())):
        return None
    best, late = int(np.argmax(monitored)), min(max(FEWEST, len(rows) // 4), len(rows) - 3)
    half = max(_CALMED, len(rows) // 2)
    around = slice(max(0, best - 1), best + 2)
    holding, began = _health(training)
    alike, worth = mixed(rows, mix, images)
    if alike is None:
        alike, worth = columns["val/accuracy"], float(max(1, sum(images.values())))
    unlearned = columns["val/loss"][columns["train/loss"] > 0.9 * math.log(len(CLASSES))]
    return Course(
        name=training.name,
        holding=holding,
        began=began,
        epochs=len(rows),
        whole=len(rows) >= facts.max_epochs,
        best_epoch=int(rows[best]["epoch"] or 0),
        train_accuracy=float(np.median(columns["train/accuracy"][around])),
        val_accuracy=float(np.median(columns["val/accuracy"][around])),
        mixed_accuracy=float(np.median(alike[around])),
        mixed_images=worth,
        late_train_accuracy=float(np.median(columns["train/accuracy"][-3:])),
        late=late,
        train_fall=_fall(columns["train/loss"], late),
        val_fall=_fall(columns["val/loss"], late),
        late_best=best >= len(rows) - late,
        thrown=float(unlearned.max()) if len(unlearned) else 0.0,
        val_noise=noise(columns["val/accuracy"][-half:]),
        val_loss_noise=noise(columns["val/loss"][-half:]),
    )


def _training_mix(training: Training, seen: Evidence) -> dict[str, float]:
    """How often training shows each class: as many images as there are, or all alike."""
    counts = dict(zip(CLASSES, training.facts.counts["train"], strict=True))
    if seen.incumbent.settings.get("sampler.name") == "class_balanced":
        counts = {name: min(count, 1) for name, count in counts.items()}
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items() if count}


def mixed(
    rows: list[Row], mix: Mapping[str, float], images: Mapping[str, float]
) -> tuple[NDArray[np.float64] | None, float]:
    """Validation accuracy with training's mixture of classes, and the images it is worth (Kish 1965).

    Where a class is rare in training alone, plain accuracies differ without any overfitting.
    """
    shares = {name: share for name, share in mix.items() if images.get(name)}
    whole = sum(shares.values())
    recalls = {name: column(rows, f"val/recall_{name}") for name in shares}
    if not whole or not all(np.isfinite(values).all() for values in recalls.values()):
        return None, 0.0
    mean = np.sum([shares[name] / whole * recalls[name] for name in shares], axis=0)
    return mean, 1 / sum((shares[name] / whole) ** 2 / images[name] for name in shares)


def _fall(losses: NDArray[np.float64], late: int) -> float:
    """By which share the loss fell over its last epochs, by medians of three, two epochs less apart."""
    before, now = float(np.median(losses[-late - 1 :][:3])), float(np.median(losses[-3:]))
    return (before - now) / before * late / (late - 2) if before > 0 else 0.0


def _health(training: Training) -> tuple[dict[str, Finding], dict[str, Finding]]:
    """What the rules of health say at the end, and what they ever said."""
    began: dict[str, Finding] = {}

    def tell(change: Change) -> None:
        if change.state == "began":
            began.setdefault(change.finding.rule, change.finding)

    monitor = Monitor(training.facts, (), (), tell)
    for row in training.rows:
        monitor.see(row)
    monitor.end()
    return {one.rule: one for one in monitor.holding}, began


def cut_off(one: Course, seen: Evidence) -> bool:
    """Whether its epochs were over while it still learned.

    Its training loss was still falling, and so was that of validation, with the best epoch late; where less
    than half of the way was gone the training loss alone tells.
    """
    learning = one.whole and one.train_fall > STILL
    if not learning or {"overfitting", "vanishing_gradients"} & one.holding.keys():
        return False
    return below_half(one, seen) or (one.late_best and one.val_fall > STILL)


def half_learned(one: Course, seen: Evidence) -> bool:
    """Whether its training loss stopped falling below half of the way."""
    return one.train_fall <= STILL and below_half(one, seen)


def below_half(one: Course, seen: Evidence) -> bool:
    """Whether it ended below half of the way, on training and validation both.

    Mixed images cannot all be right: with mixing training accuracy does not tell.
    """
    if mixes(seen):
        return False
    chance = seen.trainings[0].facts.majority("train")
    half = chance + _HALF * (1 - chance)
    high = wilson(one.late_train_accuracy, images_of(seen, "train"))[1]
    return high < half and one.mixed_accuracy < half


def gap_of(one: Course, seen: Evidence) -> tuple[float, float, float]:
    """Training less validation accuracy at the best epoch, of the same classes, by independent images."""
    return newcombe(one.train_accuracy, images_of(seen, "train"), one.mixed_accuracy, one.mixed_images)


def images_of(seen: Evidence, split: str) -> int:
    """Independent images of a split, of one training: of a cross-validation, those of a fold."""
    return max(1, round(witnesses(seen, split) * sum(seen.trainings[0].facts.counts[split])))


def witnesses(seen: Evidence, split: str) -> float:
    """How many independent images an image of a split is worth; 1 where nobody has looked for copies."""
    tables = (seen.data.groups.get(split, {}), seen.data.rows.get(split, {})) if seen.data else ({}, {})
    groups, rows = (sum(table.values()) for table in tables)
    return groups / rows if groups and rows else 1.0
