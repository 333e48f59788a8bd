"""Filters and orders, against the same asked in plain Python."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import UsageError
from ctexp.record.index import Index, Query, RunSummary, list_runs, opened, select
from ctexp.record.manifest import Model, Origin
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests.record import samples
from tests.record.index import anew


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve runs that differ in everything that can be asked; some of one accuracy, some without."""
    folder = tmp_path_factory.mktemp("runs")
    for n in range(12):
        finished = n % 3 != 0
        run = samples.begun(
            RunDir.create(folder, f"run-{n % 4}"),
            name=f"run-{n % 4}",
            seed=n,
            tags=("night", "best")[: n % 3],
            origin=Origin(queue="q1" if n < 6 else None, parent="cv" if n % 4 == 0 else None),
            model=Model(name="resnet18" if n % 2 else "tiny_cnn", parameters=n),
        )
        if n == 11:  # which never ended
            continue
        measured = {"val/accuracy": Measurement(value=round(n / 20, 1))} if finished else {}
        end: dict[str, Any] = {} if finished else {"state": "failed", "exit_code": 3, "failure": "DataError"}
        samples.finish(run, metrics=measured, started=f"2026-11-{n + 10}T05:04:17.123Z", **end)
    return folder


QUERIES = [
    Query(),
    Query(where={"name": "run-1"}),
    Query(where={"queue": "q1", "parent": None}),
    Query(where={"queue": None}, sort="val/accuracy"),
    Query(where={"seed": 3}),
    Query(name_part="n-2"),
    Query(tags=["night"]),
    Query(tags=["night", "best"], sort="id"),
    Query(states=["failed", "interrupted"]),
    Query(metric="val/accuracy", limit=3),
    Query(since="2026-11-15T00:00:00.000Z"),
    Query(until="2026-11-15T05:04:17.123Z", sort="started", descending=True),
    Query(sort="val/accuracy"),
    Query(sort="val/accuracy", descending=True),
    Query(sort="val/accuracy", descending=True, limit=9),
    Query(sort="val/accuracy", limit=2, states=["finished"]),
    Query(sort="name", descending=True),
    Query(sort="duration_seconds"),
    Query(sort="duration_seconds", descending=True, limit=4),
    Query(sort="parent", limit=0),
    Query(sort="dirty", where={"model": "resnet18"}),
]


@pytest.mark.parametrize("few", [2, 200])
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_answer_is_that_of_plain_python(
    runs: Path, query: Query, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "_FEW", few)
    every = anew.runs_of(runs)
    assert len(every) == 12
    with Index(runs) as index:
        assert index.select(query) == anew.answer(every, query)
        unlimited = Query(**vars(query) | {"limit": None})
        assert index.count(query) == len(anew.answer(every, unlimited))


def test_an_unknown_column_names_the_nearest(runs: Path) -> None:
    with pytest.raises(UsageError, match="val/acuracy") as caught:
        select(runs, Query(sort="val/acuracy"))
    assert "'val/accuracy'" in caught.value.hint
    with pytest.raises(UsageError, match="no column"):
        select(runs, Query(sort="summary; DROP TABLE runs"))
    assert select(runs, Query(sort="val/acuracy", where={"name": "none"})) == []


@pytest.mark.parametrize("descending", [False, True])
def test_sorted_by_a_metric_of_many_runs_the_index_is_walked(
    runs: Path, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should SQLite no longer follow the order of the tables, it would sort 10,000 runs for one."""
    monkeypatch.setattr(opened, "_FEW", 2)
    said: list[str] = []
    with Index(runs) as index:
        connection = index._connection
        assert connection is not None
        connection.set_trace_callback(said.append)
        index.select(Query(states=["finished"], sort="val/accuracy", descending=descending, limit=2))
        connection.set_trace_callback(None)
        (walk,) = [sql for sql in said if "metrics CROSS JOIN runs" in sql]
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + walk)]
    assert "USING COVERING INDEX by_value_" in plan[0]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_a_question_that_makes_no_sense_harms_no_index(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody: Any = object()
    assert select(runs, Query(name_part="caf\udce9")) == []
    for wrong in (Query(where={"nmae": "run-1"}), Query(where={"name": nobody})):
        with pytest.raises((KeyError, sqlite3.Error)):
            select(runs, wrong)
    assert capsys.readouterr().err == ""
    assert sorted(path.name for path in runs.glob("index*")) == ["index.lock", "index.sqlite"]


def test_a_list_is_what_a_query_without_conditions_gives(runs: Path) -> None:
    found: list[RunSummary] = list_runs(runs)
    assert found == anew.runs_of(runs)
