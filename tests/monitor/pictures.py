"""Image sets with faults that nobody is told of: wrong labels, and a mark that gives the class away."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset
from tests.kaggle import LONG_NAMES
from tests.planning.histories.pictures import Pictures, draw
from tests.project import make_project

NAME = "chest_ct"


def project_with(
    folder: Path,
    pictures: Pictures,
    *,
    valid: Pictures | None = None,
    wrong: float = 0.0,
    marked: bool = False,
) -> Path:
    """A committed project with a set.

    Args:
        folder: where it is made.
        pictures: what the set is like.
        valid: what its validation images are like, where they are others.
        wrong: the share of training images that lie in the folder of another class.
        marked: whether a bright bar at the border tells the class, in every split.
    """
    project = make_project(folder)
    import_set(project, pictures, valid=valid, wrong=wrong, marked=marked)
    return project


def import_set(
    project: Path,
    pictures: Pictures,
    *,
    valid: Pictures | None = None,
    wrong: float = 0.0,
    marked: bool = False,
) -> None:
    """Draw a set, spoil it, and import it in the place of the one that is there."""
    source = project.parent / f"{project.name}-source"
    draw(source, pictures)
    if valid:
        other = project.parent / f"{project.name}-other"
        draw(other, valid)
        shutil.rmtree(source / "Data" / "valid")
        (other / "Data" / "valid").rename(source / "Data" / "valid")
        shutil.rmtree(other)
    if wrong:
        _mislabel(source / "Data" / "train", wrong)
    if marked:
        _mark(source / "Data")
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


def _mark(data: Path) -> None:
    """Draw a bar at the left border, whose height is that of the class."""
    for file in data.glob("*/*/*.png"):
        place = next(
            i for i, name in enumerate(CLASSES) if file.parent.name.startswith(name.replace("_", "."))
        )
        image = np.array(Image.open(file))
        image[10 * place : 10 * place + 8, :10] = 255
        Image.fromarray(image).save(file)
