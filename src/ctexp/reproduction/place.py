"""Where a run is made again: `runs/reproductions/<run>_<stamp>/`, beside the runs and never among them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ctexp.core import clock, files
from ctexp.core.errors import Busy
from ctexp.core.locks import FileLock

FOLDER = "reproductions"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Place:
    """The folder of one reproduction; the second run lies in it, in a directory like any other run's."""

    path: Path

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


@contextmanager
def opened(
    runs: Path, run_id: str, moment: datetime, remove_source: Callable[[Path], None]
) -> Iterator[Place]:
    """A new folder, held while it is worked in, and gone where that is broken off or refused.

    What reproductions left that were killed goes first.

    Raises:
        Busy: the same was begun in this very second.
        StorageError: the disk is full, or the folder cannot be written.
    """
    place = Place(runs / FOLDER / f"{run_id}_{clock.stamp(moment)}")
    at_work = place.lock()
    # Between making a folder and holding its lock nobody else may take it for one that was left.
    door = FileLock(runs / FOLDER / "lock", "the folder of reproductions")
    door.acquire(_PATIENCE)
    try:
        for left in _abandoned(runs):
            remove_source(left.source)
            shutil.rmtree(left.path, ignore_errors=True)
        with files.storage_errors(place.path):
            try:
                place.path.mkdir()
            except FileExistsError as error:
                raise Busy(f"{place.path}: begun in this very second", "try again") from error
        at_work.acquire()
    finally:
        door.release()
    try:
        yield place
    except BaseException:
        shutil.rmtree(place.path, ignore_errors=True)
        raise
    finally:
        at_work.release()


def _abandoned(runs: Path) -> list[Place]:
    """Reproductions that were killed: without a verdict, and nobody is at work in them."""
    places = [Place(path) for path in sorted((runs / FOLDER).glob("*/"))]
    return [place for place in places if not place.verdict.exists() and not place.lock().is_held()]
