"""What the rules have to know of a run besides its history."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES

Row = Mapping[str, float | None]

_STAGES = 5  # of a convolutional backbone that is unfrozen stage by stage


@dataclass(frozen=True)
class Facts:
    """What the rules have to know of a run besides its history.

    Attributes:
        monitor: the metric that selects the best epoch, `val/macro_f1`.
        counts: images of each class, in the order of `CLASSES`, by split; of `train` and `val` at least.
        max_epochs: epochs it may train.
        settled: epochs in which what learns, or how fast, is still on its way up: warm-up, frozen parts.
            The rules look at those after them.
        gradients: whether the history knows the length of gradients; in 16 bits some overflow and are left
            out.
    """

    monitor: str
    counts: Mapping[str, tuple[int, ...]]
    max_epochs: int
    settled: int = 0
    gradients: bool = True

    @classmethod
    def of(cls, config: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]]) -> Self:
        """The facts of a resolved configuration, as `config.yaml` of a run keeps it.

        Args:
            config: group -> key -> value.
            counts: split -> class -> images, as `dataset.rows` of a manifest has them.
        """
        trainer, schedule, finetune = config["trainer"], config["scheduler"], config["finetune"]
        rise = schedule.get("rise", 0.0) * trainer["max_epochs"]
        warmup = schedule.get("warmup_epochs", rise)
        thawed = finetune["head_epochs"] + _STAGES * finetune["stage_epochs"]
        return cls(
            monitor=trainer["monitor"],
            counts={split: tuple(of.get(name, 0) for name in CLASSES) for split, of in counts.items() if of},
            max_epochs=trainer["max_epochs"],
            settled=math.ceil(max(warmup, thawed)),
            gradients=trainer["precision"] != "16",
        )

    def majority(self, split: str) -> float:
        """The share of the largest class: the accuracy of who has not looked at the image."""
        return max(self.counts[split]) / sum(self.counts[split])

    def chance_accuracy(self, split: str) -> float:
        """What guessing exceeds in one of forty tries: two standard deviations above the majority."""
        share, images = self.majority(split), sum(self.counts[split])
        return share + 2 * math.sqrt(share * (1 - share) / images)

    def chance_auroc(self, split: str) -> float:
        """The mean AUROC over classes that guessing exceeds in one of forty tries.

        The variance of one class against the rest without discrimination is (n + 1) / (12 n1 n0) (Mann and
        Whitney 1947); the classes present count as independent.
        """
        images = sum(self.counts[split])
        present = [count for count in self.counts[split] if 0 < count < images]
        if not present:
            return 1.0
        variances = [(images + 1) / (12 * count * (images - count)) for count in present]
        return 0.5 + 2 * math.sqrt(sum(variances)) / len(present)


def column(rows: list[Row], name: str) -> NDArray[np.float64]:
    """A column of the history, `(epochs,)`; NaN where it has no value."""
    return np.array([math.nan if row.get(name) is None else row[name] for row in rows], dtype=np.float64)


def medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of three neighbours each, `(epochs - 2,)`: the i-th is of places i to i + 2."""
    return np.asarray(np.median(sliding_window_view(values, 3), axis=1))


def noise(values: NDArray[np.float64]) -> float:
    """The standard deviation of a series about its trend, from its second differences.

    A straight trend cancels in them, and white noise of deviation s gives them a median size of 0.6745 s √6.
    """
    if len(values) < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2)))) / (0.6745 * math.sqrt(6))
