"""One metric as the record holds it: value, interval, what it rests on, and how the interval was made."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.evaluation import intervals, scores

Entry = dict[str, float | int | str | None]
"""`value`, `low`, `high` (null where there is none), `n` images it rests on, `method` of the interval."""


def entry(value: float, bounds: tuple[float, float] | None, n: int, method: str) -> Entry:
    """An entry; an undefined value has no interval, and without one there is no method.

    Bounds are stretched to hold the value, which a percentile interval of a biased metric may miss.
    """
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None, "n": n, "method": "undefined"}
    if bounds is None:
        return {"value": value, "low": None, "high": None, "n": n, "method": "none"}
    return {
        "value": value,
        "low": min(bounds[0], value),
        "high": max(bounds[1], value),
        "n": n,
        "method": method,
    }


def proportions(
    labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The metrics that are shares of images: name -> (images that count, hits among them), each `(N,)`.

    F1 is here as J = TP/(TP+FP+FN), the share of hits among images that are or are called the class, since
    F1 = 2J/(1+J) (Hand, Christen & Kirielle 2021).
    """
    cancer = labels != NORMAL
    table = {
        "accuracy": (np.ones(len(labels), dtype=bool), predicted == labels),
        "miss_rate": (cancer, cancer & (predicted == NORMAL)),
    }
    for k, name in enumerate(CLASSES):
        true, called = labels == k, predicted == k
        table[f"precision_{name}"] = called, true & called
        table[f"npv_{name}"] = ~called, ~called & ~true
        table[f"recall_{name}"] = true, true & called
        table[f"specificity_{name}"] = ~true, ~true & ~called
        table[f"f1_{name}"] = true | called, true & called
    return table


def of_proportion(name: str, value: float, hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> Entry:
    """The entry of a share of images by a Wilson interval, widened where images come in groups.

    Args:
        name: the metric; F1 is told by its name.
        value: the metric's value, NaN where undefined.
        hits: success of each image that counts, `(n,)`.
        groups: their groups, `(n,)`.
    """
    if not np.isfinite(value):
        return entry(value, None, len(hits), "")
    effect = intervals.design_effect(hits, groups)
    low, high = intervals.wilson(float(hits.mean()), len(hits) / effect)
    method = "wilson"
    if name.startswith("f1_"):
        low, high = 2 * low / (1 + low), 2 * high / (1 + high)
        method = "wilson of TP/(TP+FP+FN)"
    if effect > 1:
        method += f", design effect {effect:.2f}"
    return entry(value, (low, high), len(hits), method)


def of_resamples(
    name: str,
    value: float,
    drawn: NDArray[np.float64],
    left_out: NDArray[np.float64] | None,
    n: int,
    groups: int,
) -> Entry:
    """The entry of a metric by its standard error in a group bootstrap; no interval where that is 0.

    Args:
        name: the metric; `auroc_<class>` and `auprc_<class>` are on the scale of their means.
        value: the metric's value, NaN where undefined.
        drawn: its value in each resample, NaN where a class has vanished.
        left_out: its value without each group, likewise; None where there are too many groups.
        n: images.
        groups: in which they come.
    """
    if not np.isfinite(value) or groups < 2:
        return entry(value, None, n, "")
    error = intervals.standard_error(drawn, left_out, groups)
    if not error > 1e-12:  # without width it would claim a certainty nobody has
        return entry(value, None, n, "")
    found = intervals.on_scale(name, value, error, groups)
    if found is None:
        return entry(value, None, n, "")
    bounds, scale = found
    return entry(value, bounds, n, f"group bootstrap, {len(drawn)} resamples, {scale} scale")


def of_classes(value: float, parts: Iterable[Entry], n: int) -> Entry:
    """The entry of a mean over classes by the means of the classes' bounds.

    Right if the classes erred together, wider than 95 % otherwise: the safe side where a bootstrap sees too
    few errors to tell.
    """
    bounds = [(part["low"], part["high"]) for part in parts if part["value"] is not None]
    if not bounds:
        return entry(value, None, n, "")
    low, high = np.array(bounds, dtype=np.float64).mean(axis=0)
    return entry(value, (float(low), float(high)), n, "mean of the per-class intervals")


def of_ranking(positive: NDArray[np.bool_], scored: NDArray[np.float64], groups: NDArray[np.int64]) -> Entry:
    """The entry of one class's AUROC by a Wilson interval for the smaller side's images.

    The AUROC is the share of pairs ranked rightly, and its variance is at most that of as many disjoint pairs
    as the smaller side has images (Birnbaum & Klose 1957).

    Args:
        positive: which images are of the class, `(N,)`.
        scored: its probabilities, `(N,)`.
        groups: `(N,)`.
    """
    value = float(scores.ranking(positive, scored, np.ones((1, len(positive))))[0][0])
    if not np.isfinite(value):
        return entry(value, None, len(positive), "")
    sides = [groups[positive], groups[~positive]]
    pairs = min(len(side) / intervals.design_effect(np.ones(len(side), dtype=bool), side) for side in sides)
    return entry(value, intervals.wilson(value, pairs), len(positive), "wilson")


def of_calibration(
    value: float, gaps: NDArray[np.float64], drawn: NDArray[np.float64], n: int, method: str
) -> Entry:
    """The entry of the calibration error, the sum of the sizes of the bins' gaps.

    Noise makes gaps larger, so the error is biased upwards, in resamples once more, and their percentiles
    often exclude the truth. The upper bound is that of the basic bootstrap, `2 value - quantile`, which takes
    the bias back; but where few bins hold the images, and their gaps happen to be small, it lies much too
    low, and is raised to what noise in a single bin may hide. For the lower bound neither is enough near
    perfect calibration; but two sums of sizes differ at most by the sum of the sizes of the differences, so
    `value` less how far resamples stray is safe.

    Args:
        value: the calibration error.
        gaps: its signed parts, `(bins,)`.
        drawn: the parts in each resample, `(B, bins)`.
        n: images.
        method: what to call it.
    """
    strays = np.abs(drawn - gaps)
    astray = float(np.quantile(strays.sum(axis=1), 0.975))
    hidden = float(np.quantile(strays.max(axis=1), 0.95))
    smallest = float(np.quantile(np.abs(drawn).sum(axis=1), 0.025))
    high = min(1.0, max(2 * value - smallest, value + hidden))
    return entry(value, apart((max(0.0, value - astray), high)), n, method)


def apart(bounds: tuple[float, float]) -> tuple[float, float] | None:
    """The bounds if they differ: an interval without width would claim a certainty nobody has."""
    return bounds if bounds[1] - bounds[0] > 1e-12 else None
