"""What epochs show: the rules that a training asks of itself, and more of their kind, asked epoch by epoch.

What held after some epoch and does no longer is told as passed: a note, for whoever wonders later.
"""

import math
from collections.abc import Iterator

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.health import rules as health
from ctexp.evaluation.health.facts import Facts, Row, column, medians, noise
from ctexp.evaluation.health.monitor import Change, Monitor
from ctexp.evaluation.health.rules import FEWEST, WHILE_TRAINING
from ctexp.monitor.finding import Finding, Severity, Unknown
from ctexp.monitor.seen import Seen
from ctexp.planning.diagnosis.rules.instability import JUMP, LOSS_JUMP

_SEVERITIES: dict[str, Severity] = {
    "divergence": "alarm",
    "dead_outputs": "alarm",
    "plateau": "note",
    "gpu_idle": "note",
}
"""Of rules whose finding is no `warning`. A plateau and an idle GPU cost time, and spoil no figure."""

_SETTLED = 10  # epochs before curves are asked to be smooth; a third of all there will be, where that is more
_LOSS_STRAYS, _ORDER_STRAYS = 0.05, 0.02
_HOTTER = 4.0
_DRIFT = 0.1
"""What is called with 0.90 and was right as often is then right with 0.80."""
_INPUT = 1 / 3  # of an epoch's time
_IDLE = 30.0  # per cent


def instability(rows: list[Row], facts: Facts) -> health.Finding | None:
    """Validation leaps from one epoch to the next, long after the beginning.

    As `inv diagnose` has it: over the later half of the epochs the standard deviation about the trend is
    above a quarter of log 4 of loss, or above 0.05 of accuracy and two standard errors of the images. The
    loss has to stray then too, by 0.05, and AUROC by 0.02: where images keep their order, answers near a
    border change with a hair. Epochs at more than four times today's learning rate do not count: what that
    did is over.
    """
    half = max(FEWEST + 2, len(rows) // 2)
    high = column(rows, "learning_rate") > _HOTTER * (rows[-1].get("learning_rate") or 0.0)
    if len(rows) < max(_SETTLED, math.ceil(facts.max_epochs / 3)) or high[-half:].any():
        return None
    stray, stray_loss, stray_order = (
        noise(column(rows[-half:], f"val/{name}")) for name in ("accuracy", "loss", "auroc")
    )
    typical = float(np.median(column(rows[-half:], "val/accuracy")))
    error = math.sqrt(typical * (1 - typical) / sum(facts.counts["val"]))
    with_it = stray_loss > _LOSS_STRAYS and stray_order > _ORDER_STRAYS
    leaps = stray > max(JUMP, 2 * error) and with_it
    if not (stray_loss > LOSS_JUMP or leaps):
        return None
    return _found(
        "instability",
        rows,
        {"val/accuracy": stray, "val/loss": stray_loss, "val/auroc": stray_order, "epochs": half},
        f"from one epoch to the next val/accuracy strays by {stray:.3f}, val/loss by {stray_loss:.2f} and"
        f" val/auroc by {stray_order:.3f} (standard deviations over {half} epochs)",
        "lower optimizer.lr, lengthen the warm-up, or average weights (averaging=ema)",
    )


def dead_outputs(rows: list[Row], facts: Facts) -> health.Finding | None:
    """For five epochs every validation image was answered with one and the same class."""
    del facts
    recalls = np.array([column(rows[-FEWEST:], f"val/recall_{name}") for name in CLASSES])
    if not (np.isin(recalls, (0, 1)).all() and (recalls.sum(axis=0) == 1).all()):
        return None
    given = CLASSES[int(np.argmax(recalls[:, -1]))]
    return _found(
        "dead_outputs",
        rows,
        {"epochs": FEWEST, "val/auroc": column(rows, "val/auroc")[-1]},
        f"for {FEWEST} epochs every validation image was answered with one class, now {given}",
        "lower optimizer.lr and optimizer.weight_decay; check that images reach the network: "
        "scripts/inv data-audit --dataset NAME",
    )


def calibration_drift(rows: list[Row], facts: Facts) -> health.Finding | None:
    """It grows surer than it is right: calibration error rises after validation loss was at its best.

    Both smoothed by medians of three: the error by 0.1 and by three times its noise since then, the loss by
    three times its own. Where the loss still falls, a larger error is that of a network which is not sure
    enough, as label smoothing makes it, and no drift.
    """
    del facts
    error, loss = column(rows, "val/ece"), column(rows, "val/loss")
    if len(rows) < 2 * FEWEST:
        return None
    smooth, losses = medians(error), medians(loss)
    best = int(np.argmin(losses))
    rise, worse = float(smooth[-1] - smooth[best]), float(losses[-1] - losses[best])
    late = len(losses) - best > FEWEST
    if not (late and rise > max(_DRIFT, 3 * noise(error)) and worse > 3 * noise(loss)):
        return None
    first = int(rows[best + 1]["epoch"] or 0)
    return _found(
        "calibration_drift",
        rows,
        {"val/ece": smooth[-1], "val/ece_then": smooth[best], "val/loss": losses[-1], "then": first},
        f"val/ece rose from {smooth[best]:.3f} (epoch {first}, when val/loss was best) to {smooth[-1]:.3f}:"
        " it grows surer than it is right",
        "use calibrated probabilities (calibration.json), train shorter, or set loss.label_smoothing=0.1",
    )


def slow_input(rows: list[Row], facts: Facts) -> health.Finding | None:
    """Making batches takes more than a third of the time of most epochs."""
    del facts
    shares = column(rows, "input_seconds") / column(rows, "seconds")
    share, pace = float(np.median(shares)), float(np.median(column(rows, "images_per_second")))
    if not share > _INPUT:
        return None
    return _found(
        "slow_input",
        rows,
        {"input_share": share, "images_per_second": pace},
        f"{share:.0%} of the time goes into making batches, at {pace:.0f} images/s",
        "weaken what augment does to each pixel (elastic, jpeg, noise), or lower data.image_size",
    )


def gpu_idle(rows: list[Row], facts: Facts) -> health.Finding | None:
    """The GPU computes less than a third of the time."""
    del facts
    used = float(np.median(column(rows, "gpu_percent")))
    if not used < _IDLE:
        return None
    return _found(
        "gpu_idle",
        rows,
        {"gpu_percent": used},
        f"the GPU is used by {used:.0f} % at the end of most epochs",
        "raise data.batch_size, or train several runs at a time where memory allows",
    )


MORE: tuple[health.Rule, ...] = (instability, dead_outputs, calibration_drift, slow_input, gpu_idle)


def curves(seen: Seen) -> Iterator[Finding | Unknown]:
    """Every rule over the whole history, as if it were trained once more."""
    if seen.facts is None:
        yield Unknown("curves", "configuration or manifest say too little")
        return
    changes: list[Change] = []
    watch = Monitor(seen.facts, (), (), changes.append, (*WHILE_TRAINING, *MORE))
    for row in seen.rows:
        watch.see(row)
    if not seen.trains:
        watch.end()
    holding = {one.rule: one for one in watch.holding}
    for one in holding.values():
        yield _told(one, seen, passed=not seen.trains and _is_over(one, seen))
    for one in {change.finding.rule: change.finding for change in changes}.values():
        if one.rule not in holding:
            yield _told(one, seen, passed=True)
    if len(seen.rows) < seen.facts.settled + FEWEST:
        count = len(seen.rows)
        few = "1 epoch is" if count == 1 else f"{count or 'no'} epochs are"
        yield Unknown("curves", f"{few} too few to judge")
    on_gpu = any(row.get("gpu_memory_mb") is not None for row in seen.rows)
    if on_gpu and not any(row.get("gpu_percent") is not None for row in seen.rows):
        yield Unknown("gpu_idle", "no use of a GPU was recorded")
    if seen.rows and not any(row.get("input_seconds") is not None for row in seen.rows):
        yield Unknown("slow_input", "its history is of before the time of batches was recorded")


def diverged(seen: Seen) -> Iterator[Finding]:
    """It ended because a loss, a gradient or a weight was no number any more."""
    if seen.result is None or seen.result.state != "diverged":
        return
    error = seen.result.error
    yield Finding(
        "divergence",
        "alarm",
        (seen.id,),
        f"it diverged: {error.message if error else 'a figure was not finite'}",
        "lower optimizer.lr, lower trainer.gradient_clip (set it where it is null), or use "
        "trainer.precision=32",
        {"epochs": len(seen.rows), "exit_code": seen.result.exit_code},
        "high",
        len(seen.rows) or None,
    )


def _is_over(one: health.Finding, seen: Seen) -> bool:
    """Whether a rule that looks far back by itself did not see it in the end; others wait a few epochs."""
    looks_far_back = one.rule in {rule.__name__ for rule in MORE}
    return looks_far_back and one.epoch < (seen.rows[-1]["epoch"] or 0)


def _told(one: health.Finding, seen: Seen, *, passed: bool = False) -> Finding:
    severity = "note" if passed else _SEVERITIES.get(one.rule, "warning")
    return Finding(
        one.rule,
        severity,
        (seen.id,),
        f"passed: {one.message}" if passed else one.message,
        one.advice,
        one.evidence,
        epoch=one.epoch,
        passed=passed,
    )


def _found(
    rule: str, rows: list[Row], figures: dict[str, float], message: str, advice: str
) -> health.Finding:
    evidence = {name: round(float(value), 6) for name, value in figures.items()}
    return health.Finding(rule, int(rows[-1]["epoch"] or 0), evidence, message, advice)
