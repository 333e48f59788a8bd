"""Twenty runs of 10,000 predictions each, compared: read from their tables, resampled, corrected, called."""

from pathlib import Path

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.comparison import Judged, judge, pair
from ctexp.evaluation.predictions import Predictions

FAMILY = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate")


def tables(root: Path, runs: int, images: int) -> list[Path]:
    """Predictions of so many runs of the same images, each of slightly more skill, by the real writer."""
    random = np.random.default_rng(42)
    label = random.integers(0, len(CLASSES), images)
    shared = random.normal(size=(images, len(CLASSES)))
    shared[np.arange(images), label] += 1.5
    written = []
    for n in range(runs):
        own = shared + random.normal(scale=0.5, size=shared.shape)
        own[np.arange(images), label] += 0.01 * n
        table = Predictions(
            image_id=tuple(f"test/{i:06d}.png" for i in range(images)),
            sha256=tuple(f"{i:064x}" for i in range(images)),
            group=tuple(f"patient-{i // 2}" for i in range(images)),
            label=label,
            logits=own.astype(np.float32),
        )
        written.append(root / f"predictions-{n}.parquet")
        table.write(written[-1])
    return written


def compare(files: list[Path]) -> list[Judged]:
    """The first against all others."""
    baseline, *candidates = [Predictions.read(file) for file in files]
    return judge([pair([baseline], [candidate], FAMILY) for candidate in candidates], alpha=0.05)
