from collections.abc import Callable, Sequence

import numpy as np
import pytest

from ctexp.core.classes import CLASSES
from ctexp.evaluation.predictions import Predictions

PRIOR = np.array([120, 51, 90, 54]) / 315


def draw(n: int, skill: float, seed: int = 0, groups: Sequence[object] | None = None) -> Predictions:
    """A split of `n` images with the class shares of the Kaggle test set; more skill, fewer errors."""
    random = np.random.default_rng(seed)
    label = random.choice(len(CLASSES), n, p=PRIOR)
    logits = random.normal(size=(n, len(CLASSES)))
    logits[np.arange(n), label] += skill
    return Predictions(
        image_id=tuple(f"val/{CLASSES[k]}/{i:06d} ({k}).png" for i, k in enumerate(label)),
        sha256=tuple(f"{i:064x}" for i in range(n)),
        group=tuple(str(group) for group in (range(n) if groups is None else groups)),
        label=label,
        logits=logits.astype(np.float32),
    )


@pytest.fixture
def split() -> Callable[..., Predictions]:
    return draw
