"""The synthetic set with copies: seven training images of each class stand among validation, too."""

import shutil
import tempfile
from pathlib import Path

from ctexp.research.runner import ExperimentRunner
from phantom import draw

NAME = "phantom_copies"
COPIES = 7
"""Of each class. A third of the validation images are copies then."""


def plant(runner: ExperimentRunner) -> None:
    """Make the set where there is none."""
    draw(runner)
    if (runner.data / "raw" / f"{NAME}.parquet").is_file():
        return
    with tempfile.TemporaryDirectory(dir=runner.data) as folder:
        copied = Path(folder) / NAME
        shutil.copytree(runner.data / "raw" / "phantom", copied)
        for originals in (copied / "train").iterdir():
            for image in sorted(originals.iterdir())[:COPIES]:
                shutil.copy(image, copied / "val" / originals.name / f"again {image.name}")
        runner.inv("data-import", str(copied), "--name", NAME)
