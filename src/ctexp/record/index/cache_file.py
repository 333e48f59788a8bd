"""The file that keeps an index between commands, and whether it can be believed.

It is written by one process at a time, and sealed when a writer is done: the time of its last change is set
to `_SEAL`, at which nobody writes. Whatever touches the file after that, a writer that is killed in the
middle or a program that damages it, breaks the seal; a file without it is made anew from the run directories.
"""

import errno
import os
import sqlite3
from pathlib import Path

from ctexp.core import screen
from ctexp.core.paths import shown
from ctexp.record.index.schema import APPLICATION, VERSION

NAME = "index.sqlite"
"""In the folder of all runs."""

_SEAL = 946_684_800 * 10**9
"""The first second of the year 2000, in ns: whole, so that every filesystem can hold it."""

_MAGIC = b"SQLite format 3\0"
_THE_PLACE = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
}


def clear_unusable(path: Path) -> None:
    """Make way for a new index where the one that is there cannot be believed; harmless where it can.

    Raises:
        OSError: it can be neither read nor moved.
    """
    if path.is_fifo():  # nobody waits for its writer
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    try:
        with path.open("rb") as file:
            head, changed = file.read(100), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return
    if head and (head[:16] != _MAGIC or int.from_bytes(head[68:72]) != APPLICATION):
        set_aside(path)
    elif int.from_bytes(head[60:64]) != VERSION or changed != _SEAL:
        path.unlink()


def set_aside(path: Path) -> None:
    """Keep a damaged or foreign file under another name.

    Raises:
        OSError: it cannot be moved.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    screen.note(f"{shown(path)}: damaged, or no index of runs; kept as {aside.name} and made anew")


def is_damage(error: Exception) -> bool:
    """Whether an error speaks against what is in the file, rather than of the place where it is."""
    if isinstance(error, sqlite3.Error):
        code: int | None = getattr(error, "sqlite_errorcode", None)  # missing where SQLite was not asked
        return code is not None and code & 0xFF not in _THE_PLACE
    return not isinstance(error, OSError)


def break_seal(path: Path) -> None:
    """Before the first page is written; on disk when this returns."""
    os.utime(path)
    _sync(path)


def seal(path: Path) -> None:
    """After the last page was written."""
    _sync(path)  # a power failure may not leave a sealed file that lacks some pages
    os.utime(path, ns=(_SEAL, _SEAL))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
