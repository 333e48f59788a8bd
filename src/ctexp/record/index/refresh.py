"""Bringing an index up to date with the run directories, which alone are the truth.

Every file of a record is replaced by a rename, which changes its directory, and a resumption moves the
result away: a run whose directory (inode and time of change) is the one that was read last has not changed.
What a program rewrites in place, as none of ctexp does, is seen when something else changes in the directory.

Three cases need more. A directory that was changed a moment before it was read may change once more within
the same tick of the filesystem's clock: it is read again the next time. So is a record with a problem, since
what hinders a reader may pass. And a run without an end runs as long as its lock is held: that is asked each
time.
"""

import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import NamedTuple

from ctexp.core import screen
from ctexp.core.errors import DataError
from ctexp.core.locks import is_held
from ctexp.record.find import is_listed
from ctexp.record.index import schema
from ctexp.record.index.summary import summarise
from ctexp.record.look import named_in
from ctexp.record.run_dir import LOCK, RunDir

_TICK_NS = 2_000_000_000
"""The coarsest clock of a filesystem: two seconds."""

_POSITIVE = 2**63 - 1

_LOCK = os.fsencode(f"/{LOCK}")

_MANY = 300
"""So many runs to read take long enough to be shown."""


class Seen(NamedTuple):
    """An entry of the folder: its name, when it was changed, and what no other state of it shares."""

    name: bytes
    changed: int
    mark: int


class Changes(NamedTuple):
    """What has happened since the index was written: runs to read, runs to forget."""

    stale: list[Seen]
    gone: list[bytes]

    def __bool__(self) -> bool:
        return bool(self.stale or self.gone)


def changes(connection: sqlite3.Connection, runs: Path) -> Changes:
    """Compare what an index knows with what is there: nothing where the folder is missing.

    Raises:
        DataError: the folder cannot be read.
    """
    known = dict(connection.execute("SELECT id, mark FROM runs"))
    held = dict(connection.execute("SELECT id, held FROM runs WHERE held IS NOT NULL"))
    stale, gone = [], []
    try:
        names = os.listdir(os.fsencode(runs))  # noqa: PTH208 - bytes, and half the time of paths
        folder = os.open(runs, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return Changes([], list(known))
    except OSError as error:
        raise DataError(f"{runs}: cannot be read ({error.strerror})") from error
    try:
        for name in names:
            try:
                about = os.stat(name, dir_fd=folder)
            except OSError:  # it went away, or leads nowhere
                continue
            mark = (about.st_ctime_ns + about.st_ino) & _POSITIVE
            old = known.pop(name, None)
            if old == mark and (name not in held or held[name] == is_held(name + _LOCK, folder)):
                continue
            if stat.S_ISDIR(about.st_mode) and is_listed(_run(runs, name).path, runs):
                stale.append(Seen(name, about.st_ctime_ns, mark))
            elif old is not None:
                gone.append(name)
    finally:
        os.close(folder)
    return Changes(stale, gone + list(known))


def _run(runs: Path, name: bytes) -> RunDir:
    return RunDir(runs / os.fsdecode(name))


def bring_up_to_date(connection: sqlite3.Connection, runs: Path, news: Changes) -> None:
    """Read the runs that changed, forget those that are gone, in one transaction.

    Raises:
        sqlite3.Error: the index is damaged or cannot be written; nothing has changed then.
    """
    before = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("DELETE FROM runs WHERE id = ?", [(name,) for name in news.gone])
        with screen.steps() as report:
            for done, seen in enumerate(news.stale, start=1):
                _read(connection, _run(runs, seen.name), seen)
                if len(news.stale) >= _MANY:
                    report("reading runs", done, len(news.stale))
        if len(news.stale) > before:  # the planner's figures are made anew when there are twice as many
            connection.execute("ANALYZE")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _read(connection: sqlite3.Connection, run: RunDir, seen: Seen) -> None:
    now = time.time_ns()
    held = run.lock().is_held()  # asked first, as in `RunDir.read`
    summary = summarise(run)
    looks, readable = [], True
    try:
        looks = named_in(run.metrics)
    except OSError:
        readable = False
    ended = summary.exit_code is not None and summary.created is not None
    sure = readable and summary.problem is None and seen.changed < now - _TICK_NS
    schema.put(connection, summary, looks, seen.mark if sure else 0, None if ended else held)
