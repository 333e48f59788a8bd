"""Folders that are old or new as a whole, whoever looks."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctexp.core import files


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder to fill; on success it takes the place of `folder`, which stays as it was otherwise.

    What killed writers left is removed; the caller keeps living ones away.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    files.make_folder(folder.parent)
    for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(leftover)
    scratch = tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent)
    with files.storage_errors(folder), scratch as made:
        new = Path(made) / "new"
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(Path(made) / "old")
        new.rename(folder)
        files.fsync_directory(folder.parent)
