"""The rules. Each looks at the epochs so far and says what is wrong now, in figures, or nothing.

Every rule wants at least `FEWEST` epochs, and looks only at those after warm-up and unfreezing. The
thresholds were chosen so that trainings that go well hear nothing; what they rest on stands at each.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.health.facts import Facts, Row, column, medians, noise

FEWEST = 5
"""Epochs after the beginning below which nothing is said; five is also the strip of Prechelt (1998)."""

_CHANCE_LOSS = math.log(4)  # of a network that gives every class the same probability


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        rule: its name.
        epoch: after which it is seen, counted from 1.
        evidence: the figures, by name.
        message: the same as a sentence without its full stop.
        advice: one thing to do next.
    """

    rule: str
    epoch: int
    evidence: dict[str, float]
    message: str
    advice: str


Rule = Callable[[list[Row], Facts], Finding | None]


def at_chance(rows: list[Row], facts: Facts) -> Finding | None:
    """The network does no better than one that never saw the images.

    Training and validation alike, over `FEWEST` epochs: accuracy within two standard deviations of always
    answering the largest class, and AUROC within two of a half. Both are asked, because mixing lowers the one
    and averaged weights delay the other.
    """
    late = rows[-FEWEST:]
    for split in ("train", "val"):
        if not (column(late, f"{split}/accuracy") <= facts.chance_accuracy(split)).all():
            return None
    if (column(late, "val/auroc") > facts.chance_auroc("val")).any():
        return None
    loss, accuracy = column(late, "train/loss")[-1], column(late, "train/accuracy")[-1]
    return _finding(
        "at_chance",
        rows,
        {
            "train/loss": loss,
            "chance_loss": _CHANCE_LOSS,
            "train/accuracy": accuracy,
            "majority_share": facts.majority("train"),
            "val/accuracy": column(late, "val/accuracy")[-1],
            "epochs": len(late),
        },
        f"nothing is learned: for {len(late)} epochs train/accuracy, now {accuracy:.3f}, is that of always"
        f" answering the largest class ({facts.majority('train'):.3f}); train/loss is {loss:.3f}"
        f" (no knowledge: {_CHANCE_LOSS:.3f})",
        "check that images reach the network (scripts/inv data-audit --dataset NAME, data.mean, data.std), "
        "then raise optimizer.lr",
    )


def divergence(rows: list[Row], facts: Facts) -> Finding | None:
    """The training loss has risen well above its best, and stays there.

    Well above: for two epochs by a quarter of the first epoch's loss, or for one by all of it. The first loss
    measures the scale of the loss function; it is taken as between a half and one and a half of log 4, so
    that neither a quick first epoch nor a wild one counts.
    """
    del facts
    losses = column(rows, "train/loss")
    scale = float(np.clip(losses[0], 0.5 * _CHANCE_LOSS, 1.5 * _CHANCE_LOSS))
    best = int(np.argmin(losses))
    rise = losses - losses[best]
    if not (rise[-1] > scale or (best < len(losses) - 2 and (rise[-2:] > 0.25 * scale).all())):
        return None
    return _finding(
        "divergence",
        rows,
        {"train/loss": losses[-1], "best": losses[best], "best_epoch": _epoch(rows[best])},
        f"train/loss rose to {losses[-1]:.3f} from {losses[best]:.3f} after epoch {_epoch(rows[best])}",
        "lower optimizer.lr, or lower trainer.gradient_clip (set it where it is null)",
    )


def exploding(rows: list[Row], facts: Facts) -> Finding | None:
    """Gradients are ten times as long as in the first three epochs, or one fifty times as long as any then.

    Lengths before clipping (Pascanu et al. 2013). They commonly grow severalfold while a network learns.
    """
    if not facts.gradients:
        return None
    means, peaks = column(rows, "train/gradient_norm"), column(rows, "train/gradient_norm_max")
    before, peak_before = float(means[:3].max()), float(peaks[:3].max())
    if not (means[-1] > 10 * before > 0 or peaks[-1] > 50 * peak_before > 0):
        return None
    return _finding(
        "exploding_gradients",
        rows,
        {
            "train/gradient_norm": means[-1],
            "train/gradient_norm_max": peaks[-1],
            "at_first": before,
            "at_first_max": peak_before,
        },
        f"gradients grow: their length is {means[-1]:.3g}, at most {peaks[-1]:.3g};"
        f" in the first epochs it was {before:.3g}, at most {peak_before:.3g}",
        "lower optimizer.lr, or lower trainer.gradient_clip (set it where it is null)",
    )


def vanishing(rows: list[Row], facts: Facts) -> Finding | None:
    """Gradients are a thousandth of what they were, or below 1e-6, and not because all is learned.

    All is learned where nine of ten training images are right: what remains has short gradients rightly.
    """
    if not facts.gradients:
        return None
    means, accuracy = column(rows, "train/gradient_norm"), column(rows, "train/accuracy")[-1]
    before = float(np.median(means[:3]))
    if not (means[-1] < max(1e-3 * before, 1e-6) and accuracy < 0.9):
        return None
    return _finding(
        "vanishing_gradients",
        rows,
        {"train/gradient_norm": means[-1], "at_first": before, "train/accuracy": accuracy},
        f"gradients vanish: their length is {means[-1]:.3g}, in the first epochs it was {before:.3g},"
        f" with train/accuracy {accuracy:.3f}",
        "lower optimizer.lr or optimizer.weight_decay; check finetune.frozen_stages",
    )


def overfitting(rows: list[Row], facts: Facts) -> Finding | None:
    """Validation loss rises while training loss falls, since its best and for `FEWEST` epochs at least.

    Rises: the median of the last three is above the best (itself a median of three) by a fifth of it, by
    three times its noise and by a tenth of log 4. A fifth is a generalisation loss of 20 % (Prechelt 1998); a
    tenth of log 4 is more than label smoothing adds when nothing is wrong. Falls: by a tenth. Nor is it told
    where the monitored metric was at its best in the last `FEWEST` epochs, or validation accuracy is above
    training accuracy: that is a network growing sure of itself.
    """
    val, train = column(rows, "val/loss"), column(rows, "train/loss")
    smooth = medians(val)
    best = int(np.argmin(smooth))
    rise = float(smooth[-1] - smooth[best])
    if len(smooth) - best <= FEWEST or not rise > max(0.2 * smooth[best], 3 * noise(val), 0.1 * _CHANCE_LOSS):
        return None
    then, now = float(np.median(train[best : best + 3])), float(np.median(train[-3:]))
    gap = float(np.median((column(rows, "train/accuracy") - column(rows, "val/accuracy"))[-3:]))
    monitored = column(rows, facts.monitor) * (1 if higher_is_better(facts.monitor) else -1)
    if not (now < 0.9 * then and gap > 0 and monitored[:-FEWEST].max() > monitored[-FEWEST:].max()):
        return None
    first = _epoch(rows[best + 1])
    return _finding(
        "overfitting",
        rows,
        {
            "val/loss": smooth[-1],
            "val/loss_best": smooth[best],
            "best_epoch": first,
            "train/loss": now,
            "train/loss_then": then,
            "accuracy_gap": gap,
        },
        f"val/loss rose from {smooth[best]:.3f} (epoch {first}) to {smooth[-1]:.3f} while train/loss fell"
        f" from {then:.3f} to {now:.3f}; train/accuracy is {gap:+.3f} above val/accuracy",
        "strengthen augment, model.dropout or optimizer.weight_decay; the best epoch is kept",
    )


def plateau(rows: list[Row], facts: Facts) -> Finding | None:
    """The monitored metric has not improved beyond its noise for a quarter of the epochs, and could.

    For at least twice `FEWEST` epochs; mean and best are compared with those of as many before. Not told
    where the learning rate has come down below a quarter of its highest (that is how a schedule ends), nor
    where the metric is within its noise of perfect.
    """
    k = max(2 * FEWEST, math.ceil(facts.max_epochs / 4))
    if len(rows) < 2 * k:
        return None
    sign = 1.0 if higher_is_better(facts.monitor) else -1.0
    values, rates = sign * column(rows, facts.monitor), column(rows, "learning_rate")
    spread = noise(values)
    late, before = values[-k:], values[-2 * k : -k]
    perfect = 1.0 if sign > 0 else 0.0
    if (
        not late.max() - values[:-k].max() <= spread
        or not late.mean() - before.mean() <= spread * math.sqrt(2 / k)
        or late.max() + 2 * spread + 0.01 >= perfect
        or not rates[-1] >= 0.25 * rates.max()
    ):
        return None
    train = column(rows, "train/loss")
    falls = np.median(train[-3:]) < 0.9 * np.median(train[-k : len(train) - k + 3])
    best = int(np.argmax(values))
    return _finding(
        "plateau",
        rows,
        {"best": sign * values[best], "best_epoch": _epoch(rows[best]), "epochs": k, "noise": spread},
        f"{facts.monitor} has not improved for {k} epochs beyond its noise of {spread:.3f}: its best is"
        f" {sign * values[best]:.3f}, of epoch {_epoch(rows[best])}",
        "train/loss still falls: strengthen augment, or stop earlier"
        if falls
        else "let the learning rate come down (scheduler=cosine or plateau), or try a larger model",
    )


def underfitting(rows: list[Row], facts: Facts) -> Finding | None:
    """At its end the network has learned little and learns no more; asked when training is over.

    Little: of the way from the majority's share to all images right, less than a fifth is covered, on
    training and validation both. No more: over the last `FEWEST` epochs the training loss fell by less than a
    twentieth.
    """
    losses = column(rows, "train/loss")
    accuracies = {split: float(column(rows, f"{split}/accuracy")[-3:].mean()) for split in ("train", "val")}
    poor = all(
        accuracy < facts.majority(split) + 0.2 * (1 - facts.majority(split))
        for split, accuracy in accuracies.items()
    )
    if not (poor and losses[-1] > 0.95 * losses[-FEWEST]):
        return None
    return _finding(
        "underfitting",
        rows,
        {
            "train/accuracy": accuracies["train"],
            "majority_share": facts.majority("train"),
            "train/loss": losses[-1],
            "train/loss_before": losses[-FEWEST],
        },
        f"little was learned: train/accuracy ended at {accuracies['train']:.3f} (largest class:"
        f" {facts.majority('train'):.3f}) and train/loss went from {losses[-FEWEST]:.3f} to {losses[-1]:.3f}"
        f" in the last {FEWEST} epochs",
        "raise optimizer.lr or trainer.max_epochs, take a larger model, or weaken augment",
    )


WHILE_TRAINING: tuple[Rule, ...] = (at_chance, divergence, exploding, vanishing, overfitting, plateau)
AT_THE_END: tuple[Rule, ...] = (underfitting,)


def judge(rows: list[Row], facts: Facts, rules: tuple[Rule, ...] = WHILE_TRAINING) -> list[Finding]:
    """What is wrong after these epochs, by rules that have enough of them.

    A rule whose columns are missing, as in old records, or not finite, finds nothing: every comparison with
    NaN is false, and each finding needs one that is true.
    """
    settled = [row for row in rows if (row["epoch"] or 0) > facts.settled]
    if len(settled) < FEWEST:
        return []
    with np.errstate(invalid="ignore"):
        found = [rule(settled, facts) for rule in rules]
    return [finding for finding in found if finding is not None]


def _finding(rule: str, rows: list[Row], evidence: dict[str, float], message: str, advice: str) -> Finding:
    figures = {name: round(float(value), 6) for name, value in evidence.items()}
    return Finding(rule, _epoch(rows[-1]), figures, message, advice)


def _epoch(row: Row) -> int:
    return int(row["epoch"] or 0)
