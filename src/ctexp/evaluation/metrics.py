"""The numbers of a split: points for each epoch, and a summary with intervals for the record.

Undefined values are NaN among floats and null in documents, never 0: recall of a class without images,
precision of a class nobody was given, AUROC of a single class.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation import entries, intervals, notes, scores
from ctexp.evaluation.entries import Entry
from ctexp.evaluation.predictions import Predictions

HEADLINE = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate", "ece", "loss")
"""The metrics printed after a run, most telling first."""

_RESAMPLED = ("loss", "mcc", "brier", *scores.OVER_CLASSES, *scores.RANKED_NAMES)
_CHUNK = 250  # resamples at once: tables that stay in the processor's cache are twice as fast
_JACKKNIFED = 1000  # groups; with more the jackknife says what the bootstrap does


def point(labels: NDArray[np.int64], logits: NDArray[Any], loss: float | None = None) -> dict[str, float]:
    """Every metric of `scores.NAMES` once, without intervals: fast enough for each epoch.

    Args:
        labels: true classes, indices into `CLASSES`, `(N,)`.
        logits: finite, `(N, 4)`.
        loss: the mean loss where it is another than plain cross-entropy.

    Returns:
        name without split -> value, NaN where undefined.
    """
    columns = scores.weighted(labels, logits, np.ones((1, len(labels))))
    values = {name: float(columns[name][0]) for name in scores.NAMES}
    return values if loss is None else values | {"loss": loss}


def summarise(predictions: Predictions, split: str, seed: int = 0, resamples: int = 2000) -> dict[str, Any]:
    """All metrics of a split with 95 % intervals, as a JSON document without NaN.

    - Accuracy, precision, NPV, recall, specificity, miss rate and F1 are shares of images (see
      `entries.proportions`): Wilson intervals, widened by the design effect where images come in groups. They
      keep a width when all images are right, where a bootstrap has none.
    - The rest: a bootstrap over groups, see `intervals.on_scale`. Resamples in which a class has vanished are
      left out of means over classes; more than 5 % of them are noted. A metric that is the same in every
      resample gets no interval, and a note; the AUROC of a class then has a Wilson interval.
    - With fewer than five independent errors (or hits) a bootstrap has little to draw. Balanced accuracy,
      macro-F1 and AUROC then get the mean of their classes' Wilson intervals, the others a note.
    - The calibration error is biased, and its interval allows for it: see `entries.of_calibration`.

    Args:
        predictions: the split's table.
        split: its name, which the metrics carry.
        seed: of the bootstrap; equal arguments give equal documents.
        resamples: of the bootstrap.

    Returns:
        `split`, `n` images, `groups`, `classes`, `support` (images by class), `metrics` (`<split>/<name>` ->
        `value`, `low`, `high`, `n` it rests on, `method`), the same entries as `per_class` -> precision, npv,
        recall, specificity, f1 and with them auroc and auprc against the other classes, the `confusion`
        matrix (rows truth, columns predicted), and `notes` for the reader.
    """
    labels, logits, n = predictions.label, predictions.logits, len(predictions.label)
    groups = predictions.groups
    found, said = _with_intervals(labels, logits, groups, seed, resamples)
    table = scores.confusion(labels, logits.argmax(axis=1), np.ones((1, n)))[0].astype(int)
    return {
        "split": split,
        "n": n,
        "groups": int(groups.max()) + 1,
        "classes": list(CLASSES),
        "support": dict(zip(CLASSES, table.sum(axis=1).tolist(), strict=True)),
        "metrics": {f"{split}/{name}": found[name] for name in scores.NAMES},
        "per_class": {
            cls: {metric: found[f"{metric}_{cls}"] for metric in (*scores.PER_CLASS, *scores.RANKED)}
            for cls in CLASSES
        },
        "confusion": table.tolist(),
        "notes": said,
    }


def headline(summary: dict[str, Any]) -> list[tuple[str, float | None, float | None, float | None]]:
    """The key metrics of a summary for printing: name, value, low, high; None where there is none."""
    rows = []
    for name in HEADLINE:
        full = f"{summary['split']}/{name}"
        part = summary["metrics"][full]
        rows.append((full, part["value"], part["low"], part["high"]))
    return rows


def _with_intervals(
    labels: NDArray[np.int64], logits: NDArray[Any], groups: NDArray[np.int64], seed: int, resamples: int
) -> tuple[dict[str, Entry], list[str]]:
    """The entry of every metric, and the notes; groups are 0..G-1."""
    n, predicted, probabilities = len(labels), logits.argmax(axis=1), scores.softmax(logits)
    columns = scores.weighted(labels, logits, np.ones((1, n)))
    values = {name: float(column[0]) for name, column in columns.items()}
    found: dict[str, Entry] = {}
    said = notes.on_groups(groups)
    for name, (members, hits) in entries.proportions(labels, predicted).items():
        found[name] = entries.of_proportion(name, values[name], hits[members], groups[members])
        said += notes.on_support(name, groups[members])

    ranked = {
        f"auroc_{name}": entries.of_ranking(labels == k, probabilities[:, k], groups)
        for k, name in enumerate(CLASSES)
    }
    parts: dict[str, list[Entry]] = {}
    right, wrong = (len(np.unique(groups[chosen])) for chosen in (labels == predicted, labels != predicted))
    if min(right, wrong) < intervals.FEW:
        parts["balanced_accuracy"] = [found[f"recall_{name}"] for name in CLASSES]
        parts["macro_f1"] = [found[f"f1_{name}"] for name in CLASSES]
        parts["auroc"] = list(ranked.values())
    counts = intervals.group_weights(groups, resamples, seed)
    count = int(groups.max()) + 1
    drawn = _resample(labels, logits, counts)
    left_out = (
        _resample(labels, logits, intervals.without_each_group(groups)) if 1 < count <= _JACKKNIFED else None
    )
    for name in _RESAMPLED:
        if name in parts:
            found[name] = entries.of_classes(values[name], parts[name], n)
            continue
        others = None if left_out is None else left_out[name]
        found[name] = entries.of_resamples(name, values[name], drawn[name], others, n, count)
        if found[name]["method"] == "none" and name in ranked:
            found[name] = ranked[name]
        if name not in scores.RANKED_NAMES:
            said += notes.on_resamples(name, drawn[name])
    gaps = scores.calibration_gaps(labels, probabilities, np.ones((1, n)))[0]
    drawn_gaps = scores.calibration_gaps(labels, probabilities, counts.astype(np.float64))
    method = f"group bootstrap, {resamples} resamples"
    found["ece"] = entries.of_calibration(values["ece"], gaps, drawn_gaps, n, method)
    return found, said + notes.on_intervals(found, wrong) + notes.on_undefined(labels, values)


def _resample(
    labels: NDArray[np.int64], logits: NDArray[Any], counts: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """The bootstrapped metrics in every resample: name -> `(B,)`, NaN where undefined.

    A mean over classes is undefined in a resample without images of one of the classes: over the rest it
    would be another metric.
    """
    chunks = [
        scores.weighted(labels, logits, counts[start : start + _CHUNK].astype(np.float64))
        for start in range(0, len(counts), _CHUNK)
    ]
    drawn = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in _RESAMPLED}
    lacking = np.any([counts[:, labels == k].sum(axis=1) == 0 for k in np.unique(labels)], axis=0)
    for name in scores.OVER_CLASSES:
        drawn[name][lacking] = np.nan
    return drawn
