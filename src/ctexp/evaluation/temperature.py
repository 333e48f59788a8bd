"""Temperature scaling: one number that makes a trained network as sure as it has a right to be.

Logits are divided by a temperature before the softmax (Guo et al. 2017). No image changes its class, only how
sure the network is: above 1 it was too sure, below 1 not sure enough. The temperature is the one with the
smallest cross-entropy, on images that the network has not learned from.

The loss is convex in the inverse temperature b = 1/T, and its slope there is the mean over images of the
expected logit less that of the true class, E_p[z] - z_y with p = softmax(b z): at the minimum it is 0.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.wording import many
from ctexp.evaluation import metrics, scores
from ctexp.evaluation.entries import Entry
from ctexp.evaluation.intervals import FEW
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import HIGHEST, LOWEST

METHOD = f"temperature scaling, minimum of the cross-entropy between {LOWEST:g} and {HIGHEST:g}"
"""What the record says of how a temperature was found."""

_TOLD = ("ece", "loss", "brier")


@dataclass(frozen=True)
class TemperatureFit:
    """A temperature, and what it does to the images it was fitted on.

    Attributes:
        loss: the cross-entropy before and after, in nats.
        ece: the expected calibration error before and after.
        notes: what a reader should know of it, one line each.
    """

    temperature: float
    loss: tuple[float, float]
    ece: tuple[float, float]
    notes: tuple[str, ...]


def fit(labels: NDArray[np.int64], logits: NDArray[Any]) -> TemperatureFit:
    """Find the temperature of images that the network has not learned from.

    Where every image is right there is no best one: the surer, the better. Confidence is then raised no
    further than so many images can support, to a mean of (n + 1) / (n + 2), the rule of succession, as in
    Platt 1999.

    Args:
        labels: true classes, `(N,)`, N at least 1.
        logits: finite, uncalibrated, `(N, 4)`.
    """
    temperature, notes = _found(labels, logits.astype(np.float64))
    errors = int((logits.argmax(axis=1) != labels).sum())
    if 0 < errors < FEW:
        notes.append(f"the temperature rests on {many(errors, 'error')} alone")
    if len(np.unique(labels)) == 1:
        notes.append("the temperature was fitted on images of one class alone")
    after = calibrated(logits, temperature)
    return TemperatureFit(
        temperature,
        (_loss(labels, logits), _loss(labels, logits / temperature)),
        (_ece(labels, scores.softmax(logits)), _ece(labels, after)),
        tuple(notes),
    )


def calibrated(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Probabilities `(N, 4)` of logits `(N, 4)` at a temperature."""
    return scores.softmax(logits.astype(np.float64) / temperature)


def summarise_calibrated(
    predictions: Predictions, split: str, temperature: float, fitted_on: str
) -> dict[str, Any]:
    """What calibration makes of a split's numbers: those that do not follow from the order of the classes.

    Args:
        predictions: the split's table, uncalibrated.
        split: its name.
        temperature: from a fit.
        fitted_on: the split of that fit.

    Returns:
        `temperature`, `fitted_on`, `metrics` (`<split>/ece`, `loss` and `brier` after it, with 95 % intervals
        as in `metrics.summarise`) and `notes`.
    """
    scaled = (predictions.logits / temperature).astype(np.float32)
    found: dict[str, Entry] = metrics.summarise(replace(predictions, logits=scaled), split)["metrics"]
    optimistic = f"fitted on {split} itself: its calibrated ece, loss and brier are optimistic"
    return {
        "temperature": temperature,
        "fitted_on": fitted_on,
        "metrics": {f"{split}/{name}": found[f"{split}/{name}"] for name in _TOLD},
        "notes": [optimistic] if split == fitted_on else [],
    }


def _found(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> tuple[float, list[str]]:
    """The temperature, and why it is one that the data did not choose."""
    coldest, hottest = 1 / LOWEST, 1 / HIGHEST
    n = len(labels)
    if np.ptp(logits, axis=1).max() == 0:
        return 1.0, ["all logits of an image are equal: there is nothing to calibrate"]
    if (logits.argmax(axis=1) == labels).all():
        support = (n + 1) / (n + 2)
        note = (
            f"every image is right: confidence was raised no further than {n} images support, {support:.3f}"
        )

        def lacking(inverse: float) -> float:
            return float(scores.softmax(inverse * logits).max(axis=1).mean()) - support

        return 1 / _zero(lacking, 1.0, coldest), [note]

    def slope(inverse: float) -> float:
        expected = (scores.softmax(inverse * logits) * logits).sum(axis=1)
        return float((expected - logits[np.arange(n), labels]).mean())

    inverse = _zero(slope, hottest, coldest)
    at_end = inverse in {coldest, hottest}
    return 1 / inverse, [
        f"the best temperature lies beyond {1 / inverse:g}, where it stops"
    ] if at_end else []


def _zero(rising: Any, low: float, high: float) -> float:
    """Where a rising function is zero between two places; the nearer one where it is zero in neither."""
    from scipy.optimize import brentq  # half a second, for training and evaluation alone

    if rising(low) >= 0:
        return low
    if rising(high) <= 0:
        return high
    return float(brentq(rising, low, high, xtol=1e-12, rtol=1e-12))


def _loss(labels: NDArray[np.int64], logits: NDArray[Any]) -> float:
    return float(scores.cross_entropy(labels, logits).mean())


def _ece(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    return float(np.abs(scores.calibration_gaps(labels, probabilities, np.ones((1, len(labels)))))[0].sum())
