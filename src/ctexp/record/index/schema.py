"""The tables of the index, and how a run is put into them and read back."""

import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from ctexp.record.index.summary import RunSummary
from ctexp.record.look import Named
from ctexp.record.run_dir import RUN_ID

APPLICATION = 0x43544578
"""`CTEx`, by which a file is known to be an index of runs."""

_REVISION = 1
"""Rises whenever a fact is read from a run directory in another way."""

COLUMNS = tuple(
    field.name
    for field in fields(RunSummary)
    if field.name not in {"id", "path", "tags", "metrics", "intervals"}
)
"""Fields of `RunSummary` that runs can be sorted by."""

_QUOTED = ", ".join(f'"{column}"' for column in COLUMNS)
_TABLES = f"""
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    id BLOB NOT NULL, -- the directory's name: bytes, since it may be no UTF-8
    mark INTEGER NOT NULL, held INTEGER, -- see `refresh`
    stamp INTEGER NOT NULL, -- the time in the id, 0 where it was renamed
    {_QUOTED},
    summary TEXT NOT NULL -- the rest of it and these again, as JSON: the quickest to read back
);
CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    metric TEXT NOT NULL, value REAL, low REAL, high REAL,
    stamp INTEGER NOT NULL, -- of the run, by which equal values are ordered
    PRIMARY KEY (run, metric)
) WITHOUT ROWID;
CREATE TABLE tags (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;
CREATE TABLE looks ( -- at a test split, which its figures come from
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq INTEGER, sha256 TEXT
);
CREATE UNIQUE INDEX by_directory ON runs (id, mark);
CREATE INDEX by_lock ON runs (id, held) WHERE held IS NOT NULL;
CREATE INDEX by_stamp ON runs (stamp, id);
CREATE INDEX by_started ON runs (started, stamp);
CREATE INDEX by_name ON runs (name, stamp);
CREATE INDEX by_state ON runs (state, stamp);
CREATE INDEX by_model ON runs (model, stamp);
CREATE INDEX by_queue ON runs (queue, stamp);
CREATE INDEX by_parent ON runs (parent, stamp);
CREATE INDEX by_value_up ON metrics (metric, value, stamp DESC, run);
CREATE INDEX by_value_down ON metrics (metric, value DESC, stamp DESC, run);
CREATE INDEX by_tag ON tags (tag, run);
CREATE INDEX by_look ON looks (run);
"""
VERSION = zlib.crc32(f"{_REVISION}{_TABLES}".encode()) & 0x7FFF_FFFF
"""Another one for other tables: an index of another version is made anew."""

_OURS = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}"
_INSERT = (
    f"INSERT INTO runs (id, mark, held, stamp, {_QUOTED}, summary) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 5))})"
)


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection to an index, in memory where no file is named; its tables are made where there are none.

    A transaction that is cut off leaves a file that `cache_file` does not trust, so it keeps no journal on
    disk.

    Raises:
        sqlite3.Error: the file is damaged, locked or cannot be written.
    """
    connection = sqlite3.connect(path or ":memory:", timeout=0.2, isolation_level=None)
    try:
        connection.executescript(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON"
        )
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            connection.executescript(f"BEGIN; {_TABLES} {_OURS}; COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def put(
    connection: sqlite3.Connection, run: RunSummary, looks: Sequence[Named], mark: int, held: bool | None
) -> None:
    """Put a run into the index in place of what was said of it."""
    key = os.fsencode(run.id)
    facts = {name: value for name, value in vars(run).items() if name not in {"id", "path"}}
    match = RUN_ID.fullmatch(run.id)
    stamp = int(match["stamp"].replace("-", "")) if match else 0
    connection.execute("DELETE FROM runs WHERE id = ?", (key,))
    row = connection.execute(
        _INSERT,
        (
            *(key, mark, held, stamp),
            *(_storable(facts[column]) for column in COLUMNS),
            json.dumps(facts),
        ),
    ).lastrowid
    limits: tuple[float | None, float | None] = (None, None)
    connection.executemany(
        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
        [
            (row, metric, value, *run.intervals.get(metric, limits), stamp)
            for metric, value in run.metrics.items()
        ],
    )
    connection.executemany("INSERT INTO tags VALUES (?, ?)", [(row, tag) for tag in set(run.tags)])
    connection.executemany("INSERT INTO looks VALUES (?, ?, ?)", [(row, *look) for look in looks])


def _storable(value: Any) -> Any:
    """SQLite's integers have 64 bits; those that have more are sorted as the greatest."""
    return max(-(2**63), min(value, 2**63 - 1)) if isinstance(value, int) else value


def restored(key: bytes, text: str, runs: Path) -> RunSummary:
    """The run that `put` wrote, in the folder that is looked at now."""
    facts = from_json(text)
    facts["tags"] = tuple(facts["tags"])
    facts["intervals"] = {metric: (low, high) for metric, (low, high) in facts["intervals"].items()}
    name = os.fsdecode(key)
    return RunSummary(id=name, path=runs / name, **facts)
