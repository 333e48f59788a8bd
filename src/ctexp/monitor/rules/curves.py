"""What epochs show: the rules that a training asks of itself, and more of their kind, asked epoch by epoch.

What held after some epoch and does no longer is told as passed: a note, for whoever wonders later.
"""

import math
from collections.abc import Iterator

import numpy as np

from ctexp.evaluation.health import rules as health
from ctexp.evaluation.health.facts import Facts, Row, column, noise
from ctexp.evaluation.health.monitor import Change, Monitor
from ctexp.evaluation.health.rules import FEWEST, WHILE_TRAINING
from ctexp.monitor.finding import Finding, Severity, Unknown
from ctexp.monitor.seen import Seen
from ctexp.planning.diagnosis.rules.instability import JUMP, LOSS_JUMP, THROWN

_SEVERITIES: dict[str, Severity] = {"divergence": "alarm", "plateau": "note", "gpu_idle": "note"}
"""Of rules whose finding is no `warning`. A plateau and an idle GPU cost time, and spoil no figure."""

_SETTLED = 10  # epochs before curves are asked to be smooth; a third of all there will be, where that is more
_UNLEARNED = 0.9 * math.log(4)  # a training loss above this is that of a network that knows next to nothing
_DRIFT = 0.1
"""What is called with 0.90 and was right as often is then right with 0.80."""
_INPUT = 0.5  # of an epoch's time
_IDLE = 30.0  # per cent


def instability(rows: list[Row], facts: Facts) -> health.Finding | None:
    """Validation leaps from one epoch to the next, or was thrown far off, long after the beginning.

    The thresholds are those of `inv diagnose`: the standard deviation about the trend, over the later half of
    the epochs, is above 0.05 of accuracy and two standard errors of the images, or above a quarter of log 4
    of loss; or validation loss was above twice log 4 in an epoch that had learned next to nothing, and
    training accuracy is below a half still.
    """
    if len(rows) < max(_SETTLED, math.ceil(facts.max_epochs / 3)):
        return None
    half = max(FEWEST + 2, len(rows) // 2)
    accuracy, loss = column(rows, "val/accuracy"), column(rows, "val/loss")
    stray, stray_loss = noise(accuracy[-half:]), noise(loss[-half:])
    typical = float(np.median(accuracy[-half:]))
    error = math.sqrt(typical * (1 - typical) / sum(facts.counts["val"]))
    thrown = loss[column(rows, "train/loss") > _UNLEARNED].max(initial=0.0)
    trained = float(column(rows, "train/accuracy")[-3:].mean())
    lost = thrown > THROWN and trained < 0.5
    if not (stray > max(JUMP, 2 * error) or stray_loss > LOSS_JUMP or lost):
        return None
    said = (
        f"steps threw it so far off that val/loss was {thrown:.2f} (no knowledge: {math.log(4):.2f}), and"
        f" train/accuracy is {trained:.3f}"
        if lost
        else f"val/accuracy strays by {stray:.3f} and val/loss by {stray_loss:.2f} from one epoch to the next"
        f" (standard deviations over {half} epochs)"
    )
    evidence = {"val/accuracy_stray": stray, "val/loss_stray": stray_loss, "val/loss_max": thrown}
    return _found(
        "instability", rows, evidence, said, "lower optimizer.lr, lengthen the warm-up, or average weights"
    )


def calibration_drift(rows: list[Row], facts: Facts) -> health.Finding | None:
    """The network grows surer than it is right: calibration error rises after validation loss was at its best.

    Both smoothed by medians of three: the error by 0.1 and by three times its noise since then, the loss by
    three times its own. Where the loss still falls, a larger error is that of a network which is not sure
    enough, as label smoothing makes it, and no drift.
    """
    del facts
    error, loss = column(rows, "val/ece"), column(rows, "val/loss")
    if len(rows) < 2 * FEWEST:
        return None
    smooth, losses = _medians(error), _medians(loss)
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
    """Making batches takes more than half of the time of most epochs."""
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


MORE: tuple[health.Rule, ...] = (instability, calibration_drift, slow_input, gpu_idle)


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
    for one in watch.holding:
        yield _told(one, seen)
    for rule in {change.finding.rule for change in changes} - {one.rule for one in watch.holding}:
        last = [change.finding for change in changes if change.finding.rule == rule][-1]
        yield _told(last, seen, passed=True)
    if len(seen.rows) < seen.facts.settled + FEWEST:
        yield Unknown("curves", f"{len(seen.rows)} epochs are too few to judge")
    elif not any(row.get("gpu_percent") is not None for row in seen.rows):
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
        "lower optimizer.lr, set trainer.gradient_clip=1.0, or use trainer.precision=32",
        {"epochs": len(seen.rows), "exit_code": seen.result.exit_code},
        "high",
        len(seen.rows) or None,
    )


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


def _medians(
    values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Of three neighbours each; the i-th is about epoch i + 1."""
    return np.array([np.median(values[i : i + 3]) for i in range(len(values) - 2)])
