"""How often a network was right where it was so sure, with the interval of each share."""

import numpy as np
from numpy.typing import NDArray

from ctexp.evaluation import intervals, scores
from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.svg import Drawing

_BINS = 10


def chart(
    title: str, labels: NDArray[np.int64], probabilities: NDArray[np.float64], groups: NDArray[np.int64]
) -> Drawing:
    """Draw the share of right answers against the confidence, in ten bins of equal width.

    Args:
        title: what it is.
        labels: true classes, `(N,)`.
        probabilities: `(N, 4)`.
        groups: `(N,)`, 0..G-1; the intervals allow for look-alikes.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    ece = float(np.abs(scores.calibration_gaps(labels, probabilities, np.ones((1, len(labels)))))[0].sum())
    told = []
    top, inner = 28.0, 300.0
    drawing = Drawing(title, "", top + inner + 64)
    frame = Frame(Axis("confidence", 0, 1), Axis("share right", 0, 1), top, top + inner)
    frame.draw(drawing)
    drawing.path([frame.at(0, 0), frame.at(1, 1)], "line guess")
    for index in np.unique(bins):
        inside = bins == index
        hits = right[inside]
        total, share = len(hits), float(hits.mean())
        sure = float(confidence[inside].mean())
        effect = intervals.design_effect(hits, groups[inside])
        low, high = intervals.wilson(share, total / effect)
        drawing.line(frame.at(sure, low), frame.at(sure, high), "whisker s0")
        drawing.mark(frame.at(sure, share), 0, "mark s0")
        told.append(f"{sure:.0%} sure: {share:.0%} of {total} right ({low:.0%} to {high:.0%})")
    drawing.text((frame.left + 6, top + 14), f"calibration error {ece:.3f}", "key")
    drawing.path([(frame.left, frame.bottom + 44), (frame.left + 26, frame.bottom + 44)], "line guess")
    drawing.text((frame.left + 33, frame.bottom + 48), "as sure as right; bars: 95 % intervals", "key")
    drawing.description = f"Calibration error {ece:.3f}. " + "; ".join(told)
    return drawing
