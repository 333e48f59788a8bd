"""Where a run is made again: `runs/reproductions/<run>_<stamp>/`, beside the runs and never among them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from ctexp.core import clock, files
from ctexp.core.errors import Busy
from ctexp.core.locks import FileLock

FOLDER = "reproductions"


@dataclass(frozen=True)
class Place:
    """The folder of one reproduction; the second run lies in it, in a directory like any other run's."""

    path: Path

    @classmethod
    def create(cls, runs: Path, run_id: str, moment: datetime) -> Self:
        """Make the folder.

        Args:
            runs: the folder of all runs.
            run_id: of the run that is made again.
            moment: when that began.

        Raises:
            Busy: the same was begun in this very second.
            StorageError: the disk is full, or the folder cannot be written.
        """
        path = runs / FOLDER / f"{run_id}_{clock.stamp(moment)}"
        files.make_folder(path.parent)
        with files.storage_errors(path):
            try:
                path.mkdir()
            except FileExistsError as error:
                raise Busy(f"{path}: begun in this very second", "try again") from error
        return cls(path)

    @property
    def source(self) -> Path:
        """The worktree, as long as it is there."""
        return self.path / "source"

    @property
    def log(self) -> Path:
        """All that the second run printed."""
        return self.path / "train.log"

    @property
    def verdict(self) -> Path:
        """What came of it; see `Verdict`. Without it the reproduction has not ended."""
        return self.path / "verdict.json"

    @property
    def summary(self) -> Path:
        """The same for people."""
        return self.path / "summary.txt"

    def lock(self) -> FileLock:
        """Held as long as somebody is at work here."""
        return FileLock(self.path / "lock", f"the reproduction {self.path.name}")

    def remove(self) -> None:
        """Take it away with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def abandoned(runs: Path) -> Iterator[Place]:
    """Reproductions that were killed: without a verdict, and nobody is at work in them."""
    for path in sorted((runs / FOLDER).glob("*/")):
        place = Place(path)
        if not place.verdict.exists() and not place.lock().is_held():
            yield place
