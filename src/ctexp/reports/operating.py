"""Cancer or normal at a threshold: who is found, who is missed, who is alarmed for nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.evaluation import intervals


@dataclass(frozen=True)
class Share:
    """A share of images with its 95 % Wilson interval, widened where images come in groups."""

    hits: int
    total: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class OperatingPoint:
    """An image is called cancer where its score reaches the threshold."""

    threshold: float
    sensitivity: Share
    specificity: Share

    @property
    def missed(self) -> int:
        """Cancers called normal."""
        return self.sensitivity.total - self.sensitivity.hits

    @property
    def alarms(self) -> int:
        """Normal images called cancer."""
        return self.specificity.total - self.specificity.hits


NOTHING = 1.000001
"""The threshold that no score reaches: nothing is called cancer."""


def at(
    cancer: NDArray[np.bool_], score: NDArray[np.float64], groups: NDArray[np.int64], threshold: float
) -> OperatingPoint:
    """What a threshold amounts to.

    Args:
        cancer: which images show one, `(N,)`.
        score: how likely they do, `(N,)`.
        groups: look-alikes, 0..G-1, `(N,)`.
        threshold: scores from here on are called cancer.
    """
    called = score >= threshold
    return OperatingPoint(
        threshold,
        share(called[cancer], groups[cancer]),
        share(~called[~cancer], groups[~cancer]),
    )


def share(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> Share:
    """The share of hits `(n,)` among images of these groups `(n,)`."""
    if not len(hits):
        return Share(0, 0, None, None, None)
    value = float(hits.mean())
    low, high = intervals.wilson(value, len(hits) / intervals.design_effect(hits, groups))
    return Share(int(hits.sum()), len(hits), value, low, high)


def packed(
    cancer: NDArray[np.bool_], score: NDArray[np.float64], groups: NDArray[np.int64]
) -> dict[str, Any]:
    """The same images for the page's script: every bit of the scores, so that its numbers equal ours."""
    from base64 import b64encode

    def text(values: NDArray[Any], kind: str) -> str:
        return b64encode(values.astype(kind).tobytes()).decode()

    return {"score": text(score, "<f8"), "cancer": text(cancer, "u1"), "group": text(groups, "<i4")}
