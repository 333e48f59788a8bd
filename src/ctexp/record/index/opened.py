"""An index while it is open: up to date, and ready to be asked."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from ctexp.core.errors import Busy, StorageError, UsageError
from ctexp.core.locks import FileLock
from ctexp.core.names import did_you_mean
from ctexp.record.documents import printable
from ctexp.record.index import cache_file, schema
from ctexp.record.index.query import HAS, LAST_FIRST, NEWEST, Condition, Query, Value, condition
from ctexp.record.index.refresh import bring_up_to_date, changes
from ctexp.record.index.summary import RunSummary
from ctexp.record.look import Named

_FEW = 200
"""So many runs are sorted in no time."""

_MOMENT = 0.2
_WORTH_A_SECOND = 10_000_000
"""Bytes of an index whose runs take about four seconds to be read."""

_T = TypeVar("_T")


class Index:
    """The runs of a folder, as they are when it is entered or refreshed.

    Args:
        runs: the folder of all runs; it need not be there.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._file = runs / cache_file.NAME
        self._lock = FileLock(runs / "index.lock", "the index of runs")
        self._connection: sqlite3.Connection | None = None
        self._on_file = False

    def __enter__(self) -> Self:
        """Open it and bring it up to date.

        Raises:
            DataError: the folder cannot be read.
        """
        with contextlib.suppress(Busy, StorageError, OSError):
            if self.runs.is_dir():  # looking makes nothing where there is nothing
                self._lock.acquire(self._patience())
                self._on_file = True
        try:
            self.refresh()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def refresh(self) -> None:
        """Bring it up to date once more.

        Raises:
            DataError: the folder cannot be read.
        """
        self._robust(self._refresh)

    def select(self, query: Query) -> list[RunSummary]:
        """The runs that are asked for, in the order asked for.

        Raises:
            UsageError: there is no such column or metric to sort by; the nearest is named.
            KeyError: a field that runs cannot be asked for.
        """
        asked = condition(query)
        return self._robust(lambda: self._select(query, asked))

    def count(self, query: Query) -> int:
        """How many runs are asked for, whatever the limit."""
        asked = condition(query)
        return self._robust(lambda: self._count(asked))

    def looks(self) -> list[tuple[str, Named]]:
        """The looks at test splits that figures of runs come from, and whose figures; oldest runs first."""
        sql = "SELECT id, seq, sha256 FROM looks JOIN runs USING (run) ORDER BY runs.stamp, id, looks.rowid"
        rows = self._robust(lambda: self._rows(sql, ()))
        return [(os.fsdecode(key), Named(seq, sha256)) for key, seq, sha256 in rows]

    def _select(self, query: Query, asked: Condition) -> list[RunSummary]:
        direction = "DESC" if query.descending else "ASC"
        if query.sort in (NEWEST, *schema.COLUMNS, "id"):
            first = "" if query.sort == NEWEST else f'runs."{query.sort}" {direction} NULLS LAST, '
            return self._runs("runs", asked, first + LAST_FIRST, query.limit)
        if self._rows("SELECT 1 FROM metrics WHERE metric = ? LIMIT 1", (query.sort,)):
            return self._by_metric(query, asked, direction)
        return self._refuse_column(query.sort) if self._count(asked) else []

    def _by_metric(self, query: Query, asked: Condition, direction: str) -> list[RunSummary]:
        """Those that have a value, then those that have none."""
        # Few runs are sorted; of many, the first are found by walking along the metric. SQLite joins in the
        # order that is written.
        few = f"SELECT count(*) FROM (SELECT 1 FROM runs WHERE {asked.sql} LIMIT {_FEW})"  # noqa: S608 - values are bound
        join = "metrics CROSS JOIN runs USING (run)"
        if self._rows(few, asked.values)[0][0] < _FEW:
            join = "runs CROSS JOIN metrics USING (run)"
        measured = Condition("metric = ? AND value IS NOT NULL", (query.sort,))
        order = f"value {direction}, metrics.stamp DESC, id DESC"
        found = self._runs(join, measured & asked, order, query.limit)
        rest = None if query.limit is None else query.limit - len(found)
        if rest != 0:
            missing = Condition(f"NOT {HAS}", (query.sort,))
            found += self._runs("runs", missing & asked, LAST_FIRST, rest)
        return found

    def _runs(self, tables: str, asked: Condition, order: str, limit: int | None) -> list[RunSummary]:
        sql = f"SELECT id, summary FROM {tables} WHERE {asked.sql} ORDER BY {order} LIMIT ?"  # noqa: S608
        rows = self._rows(sql, (*asked.values, -1 if limit is None else limit))
        return [schema.restored(key, summary, self.runs) for key, summary in rows]

    def _count(self, asked: Condition) -> int:
        sql = f"SELECT count(*) FROM runs WHERE {asked.sql}"  # noqa: S608 - values are bound
        return int(self._rows(sql, asked.values)[0][0])

    def _refuse_column(self, column: str) -> list[RunSummary]:
        metrics = {row[0] for row in self._rows("SELECT DISTINCT metric FROM metrics", ())}
        hint = did_you_mean(column, {*schema.COLUMNS, *metrics})
        raise UsageError(f"--sort: no column {column!r}", hint)

    def _rows(self, sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        bound = [printable(value) if isinstance(value, str) else value for value in values]
        return self._opened().execute(sql, bound).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._on_file:
                cache_file.clear_unusable(self._file)
            self._connection = schema.connect(self._file if self._on_file else None)
        return self._connection

    def _refresh(self) -> None:
        connection = self._opened()
        news = changes(connection, self.runs)
        if not news:
            return
        if self._on_file:
            cache_file.break_seal(self._file)
        bring_up_to_date(connection, self.runs, news)
        if self._on_file:
            cache_file.seal(self._file)

    def _robust(self, work: Callable[[], _T]) -> _T:
        """Do it, and where the file fails, do it again in memory."""
        try:
            return work()
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as error:
            if not self._on_file:
                raise
            self._leave_file(error)
        self._refresh()
        return work()

    def _patience(self) -> float:
        """Seconds to wait for somebody who is at it: far fewer than all runs would take to be read anew."""
        with contextlib.suppress(OSError):
            return max(_MOMENT, self._file.stat().st_size / _WORTH_A_SECOND)
        return _MOMENT

    def _leave_file(self, error: Exception) -> None:
        self._close()
        if cache_file.is_damage(error):
            with contextlib.suppress(OSError):
                cache_file.set_aside(self._file)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._on_file = False
        self._lock.release()
