"""The questions that are asked most, each in one call."""

from pathlib import Path

from ctexp.record.index.opened import Index
from ctexp.record.index.query import Query
from ctexp.record.index.summary import RunSummary


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
    with Index(runs) as index:
        return index.select(query)
