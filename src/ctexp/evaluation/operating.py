"""Cancer or not: what the network's answers are worth as such, and at a threshold chosen for a specificity.

Each image has a score, 1 - p(normal), the probability of any cancer, calibrated where a temperature is known,
so that a threshold is one of the probabilities that `predict` tells. As it answers, the network calls an
image cancer where one of the three cancers is the likeliest class. At a threshold it calls cancer whatever
scores at least that much. The threshold is chosen on validation.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import NORMAL
from ctexp.evaluation import entries, intervals
from ctexp.evaluation.entries import Entry
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.prevalence import predictive_values


@dataclass(frozen=True)
class Asked:
    """What a reader wants to know beside the metrics.

    Attributes:
        specificity: at which sensitivity to cancer is told.
        prevalence: of cancer, at which predictive values are told; None for that of the split.
    """

    specificity: float
    prevalence: float | None


def cancer_scores(predictions: Predictions) -> NDArray[np.float64]:
    """1 - p(normal) of each image by its logits as they are, `(N,)`."""
    return 1 - predictions.probabilities[:, NORMAL]


def threshold_at(predictions: Predictions, specificity: float) -> float | None:
    """The lowest threshold at which at least this share of the normal images scores less.

    Args:
        predictions: of the images to choose it on.
        specificity: above 0 and below 1.

    Returns:
        A score of one of the images where that is possible; None where no image is normal.
    """
    found = cancer_scores(predictions)
    normals = np.sort(found[predictions.label == NORMAL])
    if not len(normals):
        return None
    # Rounding may leave 7.000000000000001 where 7 of 10 are asked for.
    last = normals[int(np.ceil(specificity * len(normals) - 1e-9)) - 1]
    above = found[found > last]
    return float(above.min()) if len(above) else float(np.nextafter(last, np.inf))


def summarise_cancer(
    predictions: Predictions,
    split: str,
    validation: Predictions | None,
    asked: Asked,
    temperature: float | None,
) -> dict[str, Any]:
    """Sensitivity, specificity and predictive values of cancer against normal, as a JSON document.

    Sensitivity and specificity are shares of images, with Wilson intervals as in `metrics.summarise`; so are
    the predictive values where no prevalence is stated, else see `prevalence.predictive_values`.

    Args:
        predictions: the split's table.
        split: its name.
        validation: those by the same weights on which the threshold is chosen; None where there are none.
        asked: the specificity and the prevalence.
        temperature: what the logits of both are divided by; None where there is none.

    Returns:
        `score`, the `prevalence` asked for (null for that of the split) and `share`, that of the split;
        `answered` and `operating`, each with the entries `sensitivity`, `specificity`, `ppv` and `npv`;
        `operating` also with its `threshold`, `specificity_asked`, the split it was `chosen_on` and how many
        `normals` that has, or null where there is no threshold; `notes`.
    """
    called = predictions.logits.argmax(axis=1) != NORMAL
    predictions = _scaled(predictions, temperature)
    validation = None if validation is None else _scaled(validation, temperature)
    document: dict[str, Any] = {
        "score": "1 - p(normal), uncalibrated" if temperature is None else "1 - p(normal), calibrated",
        "prevalence": asked.prevalence,
        "share": float((predictions.label != NORMAL).mean()),
        "answered": _judged(predictions, called, asked.prevalence),
        "operating": None,
        "notes": [],
    }
    threshold = None if validation is None else threshold_at(validation, asked.specificity)
    if validation is None:
        document["notes"] = [
            "no threshold: the run has no val predictions of these weights, evaluate val first"
        ]
    elif threshold is None:
        document["notes"] = ["no threshold: no image of val is normal"]
    else:
        normals = int((validation.label == NORMAL).sum())
        document["operating"] = {
            "threshold": threshold,
            "specificity_asked": asked.specificity,
            "chosen_on": "val",
            "normals": normals,
            **_judged(predictions, cancer_scores(predictions) >= threshold, asked.prevalence),
        }
        said = f"the threshold for specificity {asked.specificity:g} rests on {normals} normal images of val"
        own = ", by which it is judged here: sensitivity and specificity at it are optimistic"
        document["notes"] = [said + (own if split == "val" else "")]
    return document


def _scaled(predictions: Predictions, temperature: float | None) -> Predictions:
    return replace(predictions, logits=(predictions.logits / (temperature or 1.0)).astype(np.float32))


def _judged(
    predictions: Predictions, called: NDArray[np.bool_], prevalence: float | None
) -> dict[str, Entry]:
    """The four entries of one way to call images cancer, given which are called so `(N,)`."""
    cancer = predictions.label != NORMAL
    groups = predictions.groups
    shares = {
        "sensitivity": (cancer, called),
        "specificity": (~cancer, ~called),
        "ppv": (called, cancer),
        "npv": (~called, ~cancer),
    }
    found = {
        name: entries.of_proportion(name, _mean(hits[members]), hits[members], groups[members])
        for name, (members, hits) in shares.items()
    }
    if prevalence is None or cancer.all() or not cancer.any():
        return found
    worth = [
        len(groups[members]) / intervals.design_effect(hits[members], groups[members])
        for members, hits in (shares["sensitivity"], shares["specificity"])
    ]
    sensitivity, specificity = _mean(called[cancer]), _mean(~called[~cancer])
    values = predictive_values(sensitivity, worth[0], specificity, worth[1], prevalence)
    method = f"Mercaldo logit, prevalence {prevalence:g}"
    for name, (value, bounds) in values.items():
        found[name] = entries.entry(value, bounds, len(groups), method)
    return found


def _mean(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")
