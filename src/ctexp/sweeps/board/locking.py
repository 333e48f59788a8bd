"""One agent at a time: what decides who has a trial happens under a lock of all agents of a sweep.

The kernel, or the database's server, ends it with the process that holds it, however that ends. It is held
for milliseconds, or as long as a Gaussian process takes to draw. Who waits longer than `PATIENCE` says so and
gives up.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.core.errors import DataError
from ctexp.core.locks import FileLock

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE = 60.0
"""Seconds."""

Lock = Callable[[], AbstractContextManager[None]]
"""Makes what is entered to be alone."""


def of_folder(lock: FileLock, database: Path) -> Lock:
    """A file's lock, for agents of one machine.

    Args:
        lock: what they wait for.
        database: that is open; who has it open would go on in a file that others have removed or replaced.
    """
    then = database.stat()

    @contextlib.contextmanager
    def alone() -> Iterator[None]:
        lock.acquire(patience=PATIENCE)
        try:
            if not database.exists() or not os.path.samestat(then, database.stat()):
                raise DataError(
                    f"{database}: removed or replaced while agents were at work",
                    "its runs are whole: bring it back, or make a new sweep",
                )
            yield
        finally:
            lock.release()

    return alone


def of_server(engine: "Engine", sweep: str) -> Lock:
    """An advisory lock of PostgreSQL, for agents of any machine: it ends with its transaction."""
    import sqlalchemy

    key = int.from_bytes(hashlib.sha256(sweep.encode()).digest()[:8], "big", signed=True)
    question = sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)").bindparams(
        sqlalchemy.bindparam("key", key, sqlalchemy.BigInteger)
    )

    @contextlib.contextmanager
    def alone() -> Iterator[None]:
        with engine.begin() as connection:
            connection.execute(question)
            yield

    return alone
