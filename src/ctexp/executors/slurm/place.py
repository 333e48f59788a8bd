"""What a piece of work and whoever has submitted it tell each other, in a folder that both see."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files
from ctexp.core.locks import FileLock


@dataclass(frozen=True)
class Starts:
    """How often it was begun.

    Attributes:
        count: in all.
        lost: of these, as far as it was not asked to stop: those whose node was lost.
    """

    count: int
    lost: int


class Place:
    """The folder of one piece of work.

    Args:
        folder: there as long as the work is wanted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = FileLock(folder / "lock", folder.name)
        self._life, self._starts = folder / "life", folder / "starts"
        self._code = folder / "code"

    def make(self) -> None:
        """Make it, empty.

        Raises:
            StorageError: it cannot be written.
        """
        self.clear()
        files.make_folder(self.folder)
        with files.storage_errors(self._life):
            self._life.touch()

    def clear(self) -> None:
        """Remove it; whoever still works on it stops."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def beat(self) -> None:
        """Say that whoever wants the work lives; on a full disk too, since that takes no space."""
        with contextlib.suppress(OSError):
            os.utime(self._life)

    def life(self) -> int | None:
        """A number that changes as long as he lives; None once the work is not wanted any more.

        No clock is read but that of the file system, which is one for all.
        """
        try:
            with self._life.open("rb") as file:  # opened, it is as it is there, and not as this node knew it
                return os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return None

    def note(self, what: str) -> None:
        """Write down that it was `begun`, or `asked` to stop, for the starts that may come.

        Raises:
            StorageError: it cannot be written.
        """
        with files.storage_errors(self._starts), self._starts.open("a") as starts:
            starts.write(f"{what}\n")

    def starts(self) -> Starts:
        """What earlier starts have written down."""
        try:
            noted = self._starts.read_text().split()
        except FileNotFoundError:
            noted = []
        begun = noted.count("begun")
        return Starts(begun, begun - noted.count("asked"))

    def end(self, code: int) -> None:
        """Write down how it ended, for where SLURM has forgotten that; harmless where nobody wants it."""
        with contextlib.suppress(OSError):
            self._code.write_text(f"{code}\n")

    def code(self) -> int | None:
        """How it ended; None where it has not written that down."""
        try:
            return int(self._code.read_text())
        except (FileNotFoundError, ValueError):
            return None
