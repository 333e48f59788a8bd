"""The formulas: every metric for many weightings of the images at once.

A resample of a bootstrap is a weighting of the images by whole numbers, and plain evaluation the weighting by
ones. So each metric is written once, for a table of weights `(B, N)`, and answers with `B` values. Where a
metric is undefined (no such class, no such prediction) its value is NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.core.metric_names import METRICS

Floats = NDArray[np.float64]

ECE_BINS = 15
"""Equal-width confidence bins of the expected calibration error, as in Guo et al. 2017."""

PER_CLASS = ("precision", "npv", "recall", "specificity", "f1")
"""The metrics of one class that have a name of their own: `<metric>_<class>`."""

RANKED = ("auroc", "auprc")
"""What is told of each class against the others besides, as `<metric>_<class>`; `NAMES` has their means."""

OVER_CLASSES = ("balanced_accuracy", "macro_f1", "auroc", "auprc")
"""Means over classes: without images of one of them, a resample would tell another metric, and tells none."""

NAMES = tuple(METRICS)
"""Every metric, without its split, in the order tables list them."""

RANKED_NAMES = tuple(f"{metric}_{name}" for metric in RANKED for name in CLASSES)
"""Those of one class against the others, which `NAMES` lacks."""


def softmax(logits: NDArray[Any]) -> Floats:
    """Class probabilities `(N, K)` in float64 of logits `(N, K)`."""
    exponentials = np.exp(_shifted(logits))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def cross_entropy(labels: NDArray[np.int64], logits: NDArray[Any]) -> Floats:
    """The loss of each image, `(N,)`, in nats: minus the log-probability of its true class."""
    shifted = _shifted(logits)
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels])


def weighted(labels: NDArray[np.int64], logits: NDArray[Any], weights: Floats) -> dict[str, Floats]:
    """Every metric of `NAMES`, and those of `RANKED` for each class, under each row of `weights`.

    Balanced accuracy, macro-F1, AUROC and AUPRC are unweighted means over the classes that have images;
    AUROC and AUPRC are one-vs-rest and need images of other classes too. The Matthews coefficient is 0 when
    all images get one class, as usual, and undefined when all are of one class.

    Args:
        labels: true classes, indices into `CLASSES`, `(N,)`.
        logits: finite, `(N, 4)`.
        weights: how often each image counts, `(B, N)`, not negative; fastest in column-major order.

    Returns:
        name -> values `(B,)`.
    """
    probabilities = softmax(logits)
    predicted = logits.argmax(axis=1)
    total = weights.sum(axis=1)
    table = confusion(labels, predicted, weights)
    hits = np.einsum("bkk->bk", table)
    truth, called = table.sum(axis=2), table.sum(axis=1)
    others = total[:, None] - truth

    recall = ratio(hits, truth)
    f1 = np.where(truth > 0, ratio(2 * hits, truth + called), np.nan)
    per_class = {
        "precision": ratio(hits, called),
        "npv": ratio(others - (called - hits), total[:, None] - called),
        "recall": recall,
        "specificity": ratio(others - (called - hits), others),
        "f1": f1,
    }
    ranked = [ranking(labels == k, probabilities[:, k], weights) for k in range(len(CLASSES))]
    auroc, auprc = (np.stack(columns, axis=1) for columns in zip(*ranked, strict=True))
    cancers = np.arange(len(CLASSES)) != NORMAL
    squares = ((probabilities - np.eye(len(CLASSES))[labels]) ** 2).sum(axis=1)
    values = {
        "loss": ratio(weights @ cross_entropy(labels, logits), total),
        "accuracy": ratio(hits.sum(axis=1), total),
        "balanced_accuracy": mean_of_defined(recall),
        "macro_f1": mean_of_defined(f1),
        "mcc": matthews(table),
        "auroc": mean_of_defined(auroc),
        "auprc": mean_of_defined(auprc),
        "miss_rate": ratio(table[:, cancers, NORMAL].sum(axis=1), truth[:, cancers].sum(axis=1)),
        "ece": np.abs(calibration_gaps(labels, probabilities, weights)).sum(axis=1),
        "brier": ratio(weights @ squares, total),
    }
    for metric, columns in {**per_class, "auroc": auroc, "auprc": auprc}.items():
        values |= {f"{metric}_{name}": columns[:, k] for k, name in enumerate(CLASSES)}
    return {name: values[name] for name in (*NAMES, *RANKED_NAMES)}


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """`numerator / denominator`, NaN where the denominator is 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=denominator > 0))


def mean_of_defined(values: Floats) -> Floats:
    """The mean of each row `(B, K)` over its values that are not NaN; NaN where there are none."""
    return ratio(np.nansum(values, axis=1), np.isfinite(values).sum(axis=1).astype(np.float64))


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], weights: Floats) -> Floats:
    """Weighted confusion matrices `(B, 4, 4)`: rows the truth, columns the prediction."""
    count = len(CLASSES)
    cells = np.eye(count * count)[labels * count + predicted]
    return np.asarray((weights @ cells).reshape(-1, count, count))


def matthews(table: Floats) -> Floats:
    """The multi-class Matthews correlation `(B,)` of confusion matrices `(B, K, K)` (Gorodkin 2004)."""
    truth, called = table.sum(axis=2), table.sum(axis=1)
    total = truth.sum(axis=1)
    covariance = np.einsum("bkk->b", table) * total - (truth * called).sum(axis=1)
    spread_truth = total**2 - (truth**2).sum(axis=1)
    spread_called = total**2 - (called**2).sum(axis=1)
    correlation = ratio(covariance, np.sqrt(spread_truth * spread_called))
    return np.where((spread_called == 0) & (spread_truth > 0), 0.0, correlation)


def ranking(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Area under the ROC curve and average precision of one score, each `(B,)`.

    Images with equal scores enter together: for the ROC curve they count half, for average precision they are
    one threshold (Fawcett 2006; the step-wise sum of recall times precision, without interpolation).

    Args:
        positive: which images belong to the class, `(N,)`.
        scores: higher means more likely to belong, `(N,)`.
        weights: `(B, N)`.
    """
    order = np.argsort(-scores, kind="stable")
    falling, hit = scores[order], positive[order]
    starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
    both = weights.T[order]  # images in rows: what is summed up below lies side by side in memory
    hits = both * hit[:, None]
    if len(starts) < len(order):
        both, hits = (np.add.reduceat(entering, starts, axis=0) for entering in (both, hits))
        hit = np.logical_or.reduceat(hit, starts)
    reached, found = np.cumsum(both, axis=0), np.cumsum(hits, axis=0)
    positives = found[-1]
    negatives = reached[-1] - positives
    # Only where positives enter does either sum grow.
    both, hits, reached, found = (table[hit] for table in (both, hits, reached, found))
    # Pairs in which the positive scores higher: the negatives that come after it, and half of the tied ones.
    beaten = negatives - (reached - found) + (both - hits) / 2
    auroc = ratio(np.einsum("nb,nb->b", hits, beaten), positives * negatives)
    precision = np.divide(found, reached, out=np.zeros_like(found), where=reached > 0)
    auprc = ratio(np.einsum("nb,nb->b", hits, precision), positives)
    return auroc, np.where(negatives > 0, auprc, np.nan)


def confidence_bins(probabilities: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The top probability of each image, and the bin `(lower, upper]` of `ECE_BINS` it falls into."""
    confidence = probabilities.max(axis=1)
    bins = np.ceil(confidence * ECE_BINS).astype(np.int64) - 1
    return confidence, np.clip(bins, 0, ECE_BINS - 1)


def calibration_gaps(labels: NDArray[np.int64], probabilities: Floats, weights: Floats) -> Floats:
    """Accuracy less mean confidence in each bin, times the bin's share of the images: `(B, ECE_BINS)`.

    The sum of the sizes of a row is the expected calibration error of the top class (Naeini et al. 2015;
    Guo et al. 2017).
    """
    confidence, bins = confidence_bins(probabilities)
    gaps = (probabilities.argmax(axis=1) == labels) - confidence
    in_bins = np.eye(ECE_BINS)[bins] * gaps[:, None]
    return ratio(weights @ in_bins, weights.sum(axis=1, keepdims=True))


def _shifted(logits: NDArray[Any]) -> Floats:
    """Logits less their largest per row, so that no exponential overflows."""
    exact = logits.astype(np.float64)
    return np.asarray(exact - exact.max(axis=1, keepdims=True))
