"""The questions that are asked most, each in one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ctexp.record.index.opened import Index
from ctexp.record.index.query import Query
from ctexp.record.index.summary import RunSummary
from ctexp.record.look import Named

_STANDING: ContextVar[Index | None] = ContextVar("standing", default=None)


@contextmanager
def at_once(runs: Path) -> Iterator[None]:
    """Answer all questions that are asked inside by these shortcuts from one look at the folder.

    A look at 100,000 runs takes up to a second. Others wait for the index while it is open.

    Raises:
        DataError: the folder cannot be read.
    """
    with Index(runs) as index:
        token = _STANDING.set(index)
        try:
            yield
        finally:
            _STANDING.reset(token)


def list_runs(runs: Path) -> list[RunSummary]:
    """Every run of a folder, newest first; a damaged record is listed as such and hides no other.

    Raises:
        DataError: the folder itself cannot be read.
    """
    return select(runs, Query())


def select(runs: Path, query: Query) -> list[RunSummary]:
    """The runs of a folder that are asked for, in the order asked for.

    Raises:
        DataError: the folder cannot be read.
        UsageError: there is no such column or metric to sort by; the nearest is named.
    """
    with _index(runs) as index:
        return index.select(query)


def count(runs: Path) -> int:
    """How many runs a folder has.

    Raises:
        DataError: the folder cannot be read.
    """
    with _index(runs) as index:
        return index.count(Query())


def looks(runs: Path) -> list[tuple[str, Named]]:
    """The looks at test splits that figures of runs come from, and the id of each such run, oldest first.

    Raises:
        DataError: the folder cannot be read.
    """
    with _index(runs) as index:
        return index.looks()


@contextmanager
def _index(runs: Path) -> Iterator[Index]:
    """The one that stands open, or one for this question alone."""
    standing = _STANDING.get()
    if standing is not None and standing.runs == runs:
        yield standing
    else:
        with Index(runs) as index:
            yield index
