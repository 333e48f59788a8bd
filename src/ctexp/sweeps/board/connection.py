"""The database that keeps a sweep's trials: opened, and its failures told as ours."""

import contextlib
import functools
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from ctexp.core import extras
from ctexp.core.errors import Busy, CtexpError, DataError, PreflightError, StorageError
from ctexp.core.files import storage_errors

P = ParamSpec("P")
R = TypeVar("R")

_WAIT = 30.0
"""Seconds that a writer waits for another one's transaction, which takes milliseconds."""

_SERVER = " ".join(
    f"-c {setting}"
    for setting in (
        "lock_timeout=60s",
        "tcp_keepalives_idle=15",
        "tcp_keepalives_interval=5",
        "tcp_keepalives_count=3",
    )
)
"""Settings of a connection: a machine that is gone keeps a lock for half a minute, not for two hours."""

PATIENCE = 60.0
"""Seconds for which a server may be gone, as it is while it restarts, before an agent gives up."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_WAITED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def embedded(path: Path, *, create: bool = False) -> RDBStorage:
    """The database of a sweep's own folder: SQLite with a write-ahead log.

    The log makes a transaction whole or absent after a kill, and lets readers read while somebody writes. It
    is synced when it is folded back, not at each transaction: a power cut may take the last moments with it,
    which the runs still have, and never damages the file. It needs a folder of this machine: not one of a
    network.

    Raises:
        DataError: there is none, or it is damaged.
        StorageError: the disk is full or cannot be written.
    """
    if not create and not path.is_file():
        raise DataError(f"{path}: missing, and with it the trials of the sweep", "make a new sweep")

    def connected() -> sqlite3.Connection:
        how = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={how}", uri=True, timeout=_WAIT, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    with storage_errors(path), told(str(path)):
        return _storage("sqlite:///trials.db", create, {"creator": connected})


def server(url: str, *, create: bool = False) -> RDBStorage:
    """A PostgreSQL database, for agents of several machines.

    Raises:
        PreflightError: it cannot be reached, or there is no driver for it.
        DataError: it holds something else.
    """
    parsed = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    try:
        import psycopg
    except ImportError as error:
        raise PreflightError(
            f"{shown(url)}: PostgreSQL needs psycopg, which is not installed",
            extras.install("postgres"),
        ) from error
    words, options = parsed.get_dialect()().create_connect_args(parsed)

    def connected() -> psycopg.Connection[Any]:
        found = psycopg.connect(*words, **{"options": _SERVER, "connect_timeout": 10, **options})
        # Optuna notes beats in the connection's own time zone, which a machine may set by PGTZ.
        found.execute("SET TIME ZONE 'UTC'")
        found.commit()
        return found

    try:
        with told(shown(url)):
            whole = parsed.render_as_string(hide_password=False)
            return _storage(whole, create, {"pool_pre_ping": True, "creator": connected})
    except Lost as error:
        raise PreflightError(
            error.problems, "start the server, or look at its address, pg_hba.conf and ~/.pgpass"
        ) from error


def shown(url: str) -> str:
    """A database's address as messages have it."""
    return sqlalchemy.make_url(url).render_as_string(hide_password=True)


def _storage(url: str, create: bool, how: dict[str, Any]) -> RDBStorage:
    """Optuna's storage.

    Comparing the version of its tables means loading all scripts that ever changed them, for 50 ms: `opening`
    asks for it where another Optuna made them.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # Optuna fills templates in URLs with `str.format`.
    url = url.replace("{", "{{").replace("}", "}}")
    return RDBStorage(url, engine_kwargs=how, skip_table_creation=not create, skip_compatibility_check=True)


class Lost(StorageError):
    """The server does not answer, or no longer."""


def patiently(ask: Callable[P, R]) -> Callable[P, R]:
    """Ask again while the server is gone; for what may be done twice without harm."""

    @functools.wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        end, pause = time.monotonic() + PATIENCE, 0.25
        while True:
            try:
                return ask(*args, **kwargs)
            except Lost:
                if time.monotonic() >= end:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 5.0)

    return asked


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Turn a database's failure into one of ours.

    Args:
        what: the file, or the server's address.
    """
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        raise _ours(error.__cause__ or error, what) from error
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise _ours(error, what) from error


@contextlib.contextmanager
def whole(what: str) -> Iterator[None]:
    """Refuse rows that make no sense, where nothing is done but to read them."""
    try:
        yield
    except (ValueError, TypeError, LookupError) as error:
        raise DataError(f"{what}: damaged ({error})", "its runs are whole: make a new sweep") from error


def _ours(error: BaseException, what: str) -> CtexpError:
    origin = getattr(error, "orig", None) or error
    said = str(origin).strip().splitlines()[0] if str(origin).strip() else type(origin).__name__
    if isinstance(origin, sqlite3.Error):
        code = getattr(origin, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DISK:
            return StorageError(f"{what}: {said}", "free some space there or make it writable, then go on")
        if code in _WAITED:
            return Busy(f"{what}: somebody has been writing for {_WAIT:.0f} s", "look for one that hangs")
        if code in _DAMAGED:
            return DataError(f"{what}: damaged ({said})", "its runs are whole: make a new sweep")
        return DataError(f"{what}: no database of a sweep ({said})", "make a new sweep")
    state = getattr(origin, "sqlstate", None)
    if state == "55P03":
        return Busy(f"{what}: another agent has had the sweep's lock for a minute", "look for one that hangs")
    if state == "53100":
        return StorageError(f"{what}: {said}", "free some space on the server")
    if isinstance(error, sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError):
        return Lost(f"{what}: {said}", "its runs are whole: start the agent again when it answers")
    return DataError(f"{what}: no database of a sweep ({said})", "name the one that it was made in")
