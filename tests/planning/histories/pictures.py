"""Image sets of chosen difficulty, balance and faults: a spot on mottled ground, whose width tells the class.

They lie in folders as Kaggle's "Chest CT-Scan images" do, and are imported and audited as that is.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.classes import CLASSES
from tests.kaggle import LONG_NAMES, SHORT_NAMES
from tests.project import inv

SIDE = 48
"""Pixels."""

_WIDTHS = {
    "adenocarcinoma": 1.8,
    "large_cell_carcinoma": 6.0,
    "squamous_cell_carcinoma": 3.0,
    "normal": None,
}
"""Standard deviation of each class's spot in pixels; a normal has none."""


@dataclass(frozen=True)
class Pictures:
    """What a set is like.

    Attributes:
        train: images of each class, or of every class; `val` and `test` likewise.
        faint: how many grey levels a spot rises above the ground at most; each rises by a share of it.
        faintest: the least such share; at 0 some spots cannot be seen, and nobody can be always right.
        alike: 0 to 1: how near the widths of adeno- and squamous cell carcinoma are.
        copies: class -> images of val that are copies of training images.
        telling: False where the label says nothing of the picture.
        seed: of everything.
    """

    train: int | Mapping[str, int]
    val: int | Mapping[str, int] = 30
    test: int | Mapping[str, int] = 8
    faint: float = 160.0
    faintest: float = 0.5
    alike: float = 0.0
    copies: Mapping[str, int] = field(default_factory=dict)
    telling: bool = True
    seed: int = 1


def import_pictures(project: Path, name: str, pictures: Pictures) -> None:
    """Draw a set, import it as a user does, and audit it."""
    source = project.parent / f"{project.name}-source"
    draw(source, pictures)
    inv(project, "data-import", str(source), "--name", name)
    inv(project, "data-audit", "--dataset", name, "--allow-leakage")
    shutil.rmtree(source)


def draw(folder: Path, pictures: Pictures) -> None:
    """Write `folder/Data/{train,valid,test}/<class>/<number>.png`."""
    rng = np.random.default_rng(pictures.seed)
    for split, folder_name, names in (
        ("train", "train", LONG_NAMES),
        ("val", "valid", LONG_NAMES),
        ("test", "test", SHORT_NAMES),
    ):
        counts = getattr(pictures, split)
        for class_name in CLASSES:
            place = folder / "Data" / folder_name / names[class_name]
            place.mkdir(parents=True)
            count = counts if isinstance(counts, int) else counts[class_name]
            for number in range(count):
                Image.fromarray(_picture(rng, class_name, pictures)).save(place / f"{number:06d} (1).png")
    for class_name, count in pictures.copies.items():
        train, valid = (folder / "Data" / split / LONG_NAMES[class_name] for split in ("train", "valid"))
        for number in range(count):
            shutil.copy(train / f"{number:06d} (1).png", valid / f"{number:06d} (1).png")


def _picture(rng: np.random.Generator, class_name: str, pictures: Pictures) -> NDArray[np.uint8]:
    """Grey levels, shape (SIDE, SIDE)."""
    shown = class_name if pictures.telling else CLASSES[rng.integers(len(CLASSES))]
    picture = 70 + 10 * _mottling(rng, 4) + 8 * _mottling(rng, 16) + rng.normal(0, 6, (SIDE, SIDE))
    if width := _width(shown, pictures.alike):
        across, down = rng.uniform(12, SIDE - 12, 2)
        y, x = np.ogrid[:SIDE, :SIDE]
        spot = np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * width**2))
        picture += pictures.faint * rng.uniform(pictures.faintest, 1) * spot
    return np.asarray(picture.clip(0, 255), np.uint8)


def _width(class_name: str, alike: float) -> float | None:
    """Of a class's spot, nearer to its double's where the two are alike."""
    width = _WIDTHS[class_name]
    if class_name != "squamous_cell_carcinoma" or width is None:
        return width
    other = _WIDTHS["adenocarcinoma"] or 0.0
    return width + alike * (other - width)


def _mottling(rng: np.random.Generator, details: int) -> NDArray[np.float32]:
    """Smooth noise of unit strength, with so many details along a side."""
    few = Image.fromarray(rng.normal(size=(details, details)).astype(np.float32))
    return np.asarray(few.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
