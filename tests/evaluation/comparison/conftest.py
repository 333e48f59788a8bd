from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation.predictions import Predictions

FAMILY = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate")


def tables(
    labels: NDArray[np.int64],
    logits: Sequence[NDArray[np.floating[Any]]],
    groups: NDArray[np.int64] | None = None,
) -> list[Predictions]:
    """One table for each array of logits `(N, 4)`, all of the same images."""
    n = len(labels)
    of_images = np.arange(n) if groups is None else groups
    ids = tuple(f"test/{i:06d}.png" for i in range(n))
    return [
        Predictions(ids, ids, tuple(str(group) for group in of_images), labels, its.astype(np.float32))
        for its in logits
    ]


def draw(
    n: int, sides: Sequence[float], seed: int = 0, decimals: int = 6, copies: int = 1
) -> list[Predictions]:
    """Networks of these skills on the same images, alike in what they find hard; groups of `copies`."""
    random = np.random.default_rng(seed)
    labels = random.choice(len(CLASSES), n, p=np.array([120, 51, 90, 54]) / 315)
    labels[: len(CLASSES)] = np.arange(len(CLASSES))
    hard = random.normal(size=(n, len(CLASSES)))
    truth = np.eye(len(CLASSES))[labels]
    logits = [(skill * truth + hard + random.normal(size=hard.shape)).round(decimals) for skill in sides]
    return tables(labels, logits, np.arange(n) // copies)


@pytest.fixture
def networks() -> Callable[..., list[Predictions]]:
    return draw
