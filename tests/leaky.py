"""A small data set on disk whose official split leaks, as the public one does: copies of training images."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset

COUNTS = {"train": 11, "valid": 10, "test": 12}
"""Images of every class, copies included."""

COPIES = 9
"""Of the test normals so many are copies of training normals, of three different ones."""


def add_leaky_set(project: Path, name: str = "leaky") -> None:
    """Import noise with a bright square whose corner tells the class."""
    source = project / f"{name}-source"
    rng = np.random.default_rng(8)
    for split, count in COUNTS.items():
        for label, class_name in enumerate(CLASSES):
            folder = source / split / class_name
            folder.mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 120, (20, 24)).astype(np.uint8)
                image[10 * (label // 2) :, 12 * (label % 2) :][:10, :12] += 100
                Image.fromarray(image).save(folder / f"{number:02d}.png")
    for number in range(COPIES):
        copy = source / "test" / "normal" / f"{number:02d}.png"
        shutil.copy(source / "train" / "normal" / f"{number % 3:02d}.png", copy)
    import_dataset(source, name, project / "data", seed=1)
    shutil.rmtree(source)
