"""MLflow: an embedded SQLite store in the folder of all runs, or a server.

A run that trains is a run of MLflow for each of its starts. One that has ended can be pushed whole, from its
directory: that replaces whatever the store had of it.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ctexp.config.schema.running import LoggerSettings
from ctexp.core.classes import CLASSES
from ctexp.core.dotted import flattened
from ctexp.core.locks import FileLock
from ctexp.trackers.protocol import Outcome, TrackedRun, Values

DATABASE = "mlflow.db"
"""The embedded store, in the folder of all runs; the artifacts lie beside it."""

RUN, CONTENT = "ctexp.run", "ctexp.content"
"""Tags: which run it is, and a hash of all that was pushed of it."""

_AT_ONCE = 1000
"""Metrics that MLflow takes in one call; of parameters a tenth."""

_PATIENCE = 60.0
"""Seconds for another process that makes the embedded store."""


class MlflowTracker:
    """A run of MLflow."""

    title = "MLflow"
    later = "scripts/inv export-runs --to mlflow"

    def __init__(self, settings: LoggerSettings) -> None:
        self._project = settings.project
        self._url = settings.url
        self._timeout = settings.timeout
        self._wants_weights = settings.log_model == "best"
        self._client: Any = None
        self._experiment = ""
        self._id = ""
        self._run: TrackedRun | None = None

    def holds(self, run: TrackedRun) -> bool:
        """Whether the store has this run, with this very content."""
        self.reach(run.runs)
        return bool(self._found(run, f" and tags.`{CONTENT}` = '{run.content}'"))

    def start(self, run: TrackedRun) -> None:
        """Make the run, with its whole configuration as parameters."""
        from mlflow.entities import Param

        self.reach(run.runs)
        self._run = run
        tags = {
            RUN: run.name,
            "ctexp.attempt": run.tracker_id,
            "ctexp.group": run.group,
            "ctexp.tags": ", ".join(run.tags),
            "mlflow.note.content": run.description,
        }
        made = self._client.create_run(
            self._experiment, start_time=_ms(run.began), run_name=run.name, tags=tags
        )
        self._id = made.info.run_id
        words = [Param(key, _word(value)) for key, value in flattened(dict(run.config)).items()]
        for some in _portions(words, _AT_ONCE // 10):
            self._client.log_batch(self._id, params=some)

    def log(self, values: Values, epoch: int, moment: datetime) -> None:
        """Add the metrics of an epoch."""
        known = {name: value for name, value in values.items() if value is not None and name != "epoch"}
        self._metrics(known, epoch, moment)

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics and the artifacts; of a run pushed whole, delete what it replaces."""
        assert self._run is not None  # noqa: S101 - `start` was called
        self._metrics(outcome.known, 0, outcome.ended)
        for path in outcome.documents:
            self._client.log_artifact(self._id, str(path))
        for path in outcome.figures:
            self._client.log_artifact(self._id, str(path), "figures")
        if outcome.confusion is not None:
            document = {"classes": list(CLASSES), "rows_are_truth": outcome.confusion}
            self._client.log_dict(self._id, document, "confusion.json")
        if self._wants_weights and outcome.best_checkpoint is not None:
            self._client.log_artifact(self._id, str(outcome.best_checkpoint), "checkpoints")
        self._client.set_terminated(self._id, _status(outcome.exit_code), end_time=_ms(outcome.ended))
        if self._run.content:
            self._client.set_tag(self._id, CONTENT, self._run.content)
            for other in self._found(self._run):
                if other != self._id:
                    self._client.delete_run(other)

    def _metrics(self, known: Mapping[str, float], step: int, moment: datetime) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(name, value, _ms(moment), step) for name, value in known.items()]
        for some in _portions(metrics, _AT_ONCE):
            self._client.log_batch(self._id, metrics=some)

    def _found(self, run: TrackedRun, more: str = "") -> list[str]:
        """What the store has of a run, by MLflow's ids."""
        asked = f"tags.`{RUN}` = '{run.name}'{more}"
        return [found.info.run_id for found in self._client.search_runs([self._experiment], asked)]

    def reach(self, runs: Path) -> None:
        """Open the store, and the experiment that is named as the project; both are made where missing.

        Args:
            runs: the folder of all runs.
        """
        if self._client is not None:
            return
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves the machine unasked
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, round(self._timeout))))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        from mlflow.tracking import MlflowClient

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        if (url := self._url) and not url.startswith("sqlite:"):
            self._client = MlflowClient(tracking_uri=url)
            self._experiment = self._in_project(None)
            return
        database = Path(url.removeprefix("sqlite:///")) if url else runs / DATABASE
        database.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(database.with_suffix(".lock"), f"MLflow's store {database.name}")
        lock.acquire(_PATIENCE)  # two that make its tables at once spoil them
        try:
            self._client = MlflowClient(tracking_uri=f"sqlite:///{database}")
            self._experiment = self._in_project((database.parent / "mlflow-artifacts").as_uri())
        finally:
            lock.release()

    def _in_project(self, artifacts: str | None) -> str:
        """The id of the experiment."""
        from mlflow.exceptions import MlflowException

        name = self._project
        if (known := self._client.get_experiment_by_name(name)) is None:
            try:
                return str(self._client.create_experiment(name, artifact_location=artifacts))
            except MlflowException:  # somebody else has made it in the meantime, or it is raised again here
                known = self._client.get_experiment_by_name(name)
                if known is None:
                    raise
        return str(known.experiment_id)


def _portions(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _status(exit_code: int) -> str:
    """MLflow's word for how a run ended; a signal's is KILLED."""
    return "FINISHED" if exit_code == 0 else "KILLED" if exit_code in {130, 143} else "FAILED"
