"""A data set of a few images for tests that import one: the same tree every time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.classes import CLASSES

SPLITS = ("train", "val", "test")


def small_set(folder: Path, per_class: int = 2) -> Path:
    """Write `folder/<split>/<class>/<number>.png`: noise, no two alike."""
    rng = np.random.default_rng(1)
    for split in SPLITS:
        for name in CLASSES:
            for number in range(per_class):
                file = folder / split / name / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(noise(rng)).save(file)
    return folder


def noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey levels of an image like no other, shape (40, 48)."""
    return rng.integers(0, 256, (40, 48), dtype=np.uint8)
