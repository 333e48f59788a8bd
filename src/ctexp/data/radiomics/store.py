"""What has been measured already: a SQLite file that any number of processes share.

    data/features/cache-3f2a8c01d9e7.sqlite

The name says what the values depend on besides the image: the definitions' version and the libraries'. A
row's key is the content of an image's file and its window, so that copies, and other data sets with the same
images, cost nothing. What a process measures is committed every second: that much work a kill can lose. A row
whose CRC does not hold is measured anew, and so are all of a file that SQLite cannot read: it is moved aside.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import Busy, StorageError
from ctexp.core.files import make_folder, sha256_bytes
from ctexp.core.screen import warn
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics.columns import COLUMNS, made_by

Key = tuple[str, str]
"""SHA-256 of an image's file, and its window."""

_COMMIT_SECONDS = 1.0
_WAIT_SECONDS = 60.0
_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_TABLE = """
    CREATE TABLE IF NOT EXISTS measured (
        sha256 TEXT, window TEXT, features BLOB, crc32 INTEGER, PRIMARY KEY (sha256, window)
    ) WITHOUT ROWID
"""


def key_of(row: ImageRow) -> Key:
    """What decides an image's features, once the definitions are fixed."""
    return row.sha256, row.window


class FeatureStore:
    """The cache of one folder, open as long as the `with` block runs.

    Args:
        folder: `data/features`, made when missing.

    Raises:
        StorageError: the disk is full or the folder cannot be written; so does every method.
        Busy: another process kept the file locked for a minute; so does every method.
    """

    def __init__(self, folder: Path) -> None:
        identity = sha256_bytes(json.dumps(made_by(), sort_keys=True).encode())
        self.file = folder / f"cache-{identity[:12]}.sqlite"
        self._fresh: dict[Key, NDArray[np.float64]] = {}
        self._committed = time.monotonic()
        make_folder(folder)
        with _sqlite_errors(self.file):
            try:
                self._database = _opened(self.file)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname not in _DAMAGED:
                    raise
                self._database = self._anew()

    def get(self, keys: Sequence[Key]) -> dict[Key, NDArray[np.float64]]:
        """The features of those images that are there and whole, each of shape (50,)."""
        wanted = set(keys)
        found = {}
        with _sqlite_errors(self.file):
            for sha256, window, features, crc in self._database.execute("SELECT * FROM measured"):
                is_whole = len(features) == 8 * len(COLUMNS) and zlib.crc32(features) == crc
                if is_whole and (sha256, window) in wanted:
                    found[sha256, window] = np.frombuffer(features, "<f8")
        return found

    def put(self, key: Key, features: NDArray[np.float64]) -> None:
        """Keep the features of an image, (50,); within about a second on disk, as long as others follow."""
        self._fresh[key] = features
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Put on disk what is not there yet."""
        rows = []
        for (sha256, window), features in self._fresh.items():
            content = features.astype("<f8").tobytes()
            rows.append((sha256, window, content, zlib.crc32(content)))
        with _sqlite_errors(self.file), self._database:
            self._database.executemany("INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?)", rows)
        self._fresh.clear()
        self._committed = time.monotonic()

    def __enter__(self) -> "FeatureStore":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        # Stopped or failed, what was measured is worth keeping; where keeping it failed, nothing more can be.
        try:
            if not isinstance(error, StorageError | Busy):
                self.commit()
        finally:
            self._database.close()

    def _anew(self) -> sqlite3.Connection:
        """Move a file that cannot be read aside and begin another."""
        aside = self.file.with_suffix(".damaged")
        self.file.replace(aside)
        # SQLite would take the old journal for the new file's.
        self.file.with_name(f"{self.file.name}-journal").unlink(missing_ok=True)
        warn(f"{self.file}: damaged, moved to {aside.name}; measuring anew")
        return _opened(self.file)


def _opened(file: Path) -> sqlite3.Connection:
    """A connection to a file that SQLite finds whole."""
    database = sqlite3.connect(file, timeout=_WAIT_SECONDS)
    try:
        found = database.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            damage = sqlite3.DatabaseError(found)
            damage.sqlite_errorname = "SQLITE_CORRUPT"
            raise damage
        with database:
            database.execute(_TABLE)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _sqlite_errors(file: Path) -> Iterator[None]:
    """Turn what SQLite says of a full, read-only or failing disk, and of a lock, into our errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        name = error.sqlite_errorname
        if name.startswith("SQLITE_BUSY"):
            raise Busy(f"{file}: locked by another process", "wait for it to end, or stop it") from error
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
            raise StorageError(
                f"{file.parent}: cannot write {file.name} ({error})",
                "free some space there, or make it writable",
            ) from error
        raise
