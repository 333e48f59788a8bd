"""Image sets with faults that nobody is told of: wrong labels, and a mark that gives the class away."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset
from tests.kaggle import LONG_NAMES
from tests.planning.histories.pictures import Pictures, draw

NAME = "chest_ct"


def import_set(
    project: Path,
    pictures: Pictures,
    *,
    wrong: float = 0.0,
    marked: float = 0.0,
) -> None:
    """Draw a set, spoil it, and import it in the place of the one that is there.

    Args:
        project: whose.
        pictures: what the set is like.
        wrong: the share of training images that lie in the folder of another class.
        marked: the share of training images on which a bright bar at the border tells the class; where there
            is one on any, it is on every image of the other splits.
    """
    source = project.parent / f"{project.name}-source"
    draw(source, pictures)
    if wrong:
        _mislabel(source / "Data" / "train", wrong)
    if marked:
        _mark(source / "Data", marked)
    for part in ("raw", "cache"):
        shutil.rmtree(project / "data" / part, ignore_errors=True)
    import_dataset(source, NAME, project / "data", seed=1)
    shutil.rmtree(source)


def _mislabel(split: Path, share: float) -> None:
    """Move a share of each class's images to the next class."""
    moves = []
    for place, name in enumerate(CLASSES):
        files = sorted((split / LONG_NAMES[name]).iterdir())
        wrongly = split / LONG_NAMES[CLASSES[(place + 1) % len(CLASSES)]]
        moves += [(file, wrongly / f"w{file.name}") for file in files[: round(share * len(files))]]
    for file, target in moves:
        file.rename(target)


def _mark(data: Path, share: float) -> None:
    """Draw a bar at the left border, whose height is that of the class."""
    for folder in data.glob("*/*"):
        place = next(i for i, name in enumerate(CLASSES) if folder.name.startswith(name.replace("_", ".")))
        files = sorted(folder.iterdir())
        for file in files[: round(share * len(files))] if folder.parent.name == "train" else files:
            image = np.array(Image.open(file))
            image[10 * place : 10 * place + 8, :10] = 255
            Image.fromarray(image).save(file)
