"""The same runs in MLflow's SQLite store.

MLflow makes the store and logs one run through its own client; the others are copies of that run's rows,
since logging 10,000 runs one by one would take many minutes. What is measured is MLflow's own `search_runs`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.synthetic_runs import Drawn

_THEIRS = "SELECT * FROM {} WHERE run_uuid = ?"
_FIRST = 1_767_225_600_000  # 2026, in ms


def filled(file: Path, drawn: list[Drawn]) -> Callable[[], list[str]]:
    """A question to MLflow, as often as it is called: the 20 best finished runs of one network, by name.

    Args:
        file: where the store goes.
        drawn: the runs; the first of them has metrics.

    Raises:
        ImportError: MLflow is not installed.
    """
    from mlflow.entities import Metric, Param
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{file}")
    experiment = client.create_experiment("ctexp")
    specimen = client.create_run(experiment, start_time=_FIRST, run_name="specimen").info.run_id
    metrics = [Metric(name, value, _FIRST, 0) for name, value in (drawn[0].metrics or {}).items()]
    params = [Param("model", drawn[0].model), Param("seed", str(drawn[0].seed))]
    client.log_batch(specimen, metrics=metrics, params=params)
    client.set_terminated(specimen, "FINISHED", end_time=_FIRST)
    _copy(file, specimen, drawn)

    def ask() -> list[str]:
        found = client.search_runs(
            [experiment],
            "params.model = 'resnet50' and attributes.status = 'FINISHED'",
            order_by=["metrics.`val/macro_f1` DESC"],
            max_results=20,
        )
        return [str(run.info.run_name) for run in found]

    return ask


def _copy(file: Path, specimen: str, drawn: list[Drawn]) -> None:
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    rows = {
        table: [dict(row) for row in connection.execute(_THEIRS.format(table), (specimen,))]
        for table in ("runs", "params", "tags", "metrics", "latest_metrics")
    }
    for table, its in rows.items():
        if its:
            columns = its[0].keys()
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
            copies = (row for n, run in enumerate(drawn) for row in _rows(table, its, n, run))
            connection.executemany(sql, (tuple(row[column] for column in columns) for row in copies))
        connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (specimen,))  # noqa: S608
    connection.commit()
    connection.close()


def _rows(table: str, specimen: list[dict[str, Any]], n: int, run: Drawn) -> Iterator[dict[str, Any]]:
    key = f"{n:032x}"
    for row in specimen:
        change: dict[str, Any] = {"run_uuid": key}
        if table == "runs":
            state = "FINISHED" if run.metrics else "FAILED"
            change |= {"name": run.id, "start_time": _FIRST + run.second * 1000, "status": state}
        elif table == "params":
            change["value"] = run.model if row["key"] == "model" else str(run.seed)
        elif table in {"metrics", "latest_metrics"}:
            if run.metrics is None:
                continue
            change["value"] = run.metrics[row["key"]]
        elif table == "tags" and row["key"] == "mlflow.runName":
            change["value"] = run.id
        yield row | change
