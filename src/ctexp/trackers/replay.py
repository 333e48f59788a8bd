"""A run told to a tracker from its directory, long after it ended: what `export-runs` does.

Everything said comes from the record, in the order in which a tracker would have heard it. Pushed again, a
run that is the same is left as it is, and one that was changed (evaluated on another split) replaces the old.
"""

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ctexp.config.schema.running import LoggerSettings
from ctexp.core import files, yaml_file
from ctexp.core.errors import DataError, PreflightError
from ctexp.evaluation import recorded
from ctexp.record import events, history
from ctexp.record.checkpoint_files import BEST
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.trackers.choosing import make_tracker
from ctexp.trackers.documents import documents_of, figures_of
from ctexp.trackers.mlflow_store import MlflowTracker
from ctexp.trackers.protocol import Outcome, TrackedRun, Tracker

FOLDER = "trackers"
"""Where trackers that keep files get them, in the folder of all runs; a run's own directory is left alone."""

_MARK = "content"


class Replay:
    """Pushes runs to one tracker.

    Args:
        kind: the tracker, one that `export-runs` takes.
        settings: what it is told, and whether it gets weights.
        runs: the folder of all runs.
        warn: given a line where it does otherwise than it should.
    """

    def __init__(self, kind: str, settings: LoggerSettings, runs: Path, warn: Callable[[str], None]) -> None:
        self._kind = kind
        self._settings = settings
        self._runs = runs
        self._warn = warn
        self._store = MlflowTracker(settings) if kind == "mlflow" else None

    def reach(self) -> None:
        """See that the tracker is there at all.

        Raises:
            PreflightError: it is not.
        """
        if self._store is None:
            return
        try:
            self._store.reach(self._runs)
        except Exception as error:  # whatever a tracker may raise
            where = self._settings.url or str(self._runs)
            problem = f"MLflow at {where}: {type(error).__name__}: {error}".splitlines()[0]
            raise PreflightError(problem, "see that it can be reached, and try again") from error

    def push(self, run: RunDir) -> Literal["pushed", "unchanged"]:
        """Tell all of a run that has ended.

        Raises:
            DataError: its record is damaged, or not ended.
            StorageError: there is no room for the tracker's files.
            Exception: whatever the tracker raises.
        """
        state, manifest, result, problems = run.read()
        if problems or manifest is None:
            raise DataError(problems or f"{run.id}: no manifest.json")
        if result is None:
            raise DataError(f"{run.id}: {state}, and it has no result.json", "resume it, or leave it")
        told = self._told(run, manifest)
        if self._store is not None:
            if self._store.holds(told):
                return "unchanged"
            self._tell(self._store, told, run, result)
            return "pushed"
        mark = told.folder / _MARK
        if mark.is_file() and mark.read_text() == told.content:
            return "unchanged"
        with files.storage_errors(told.folder):
            shutil.rmtree(told.folder, ignore_errors=True)
            (told.folder / "tracker").mkdir(parents=True)
        self._tell(make_tracker(self._kind, self._settings, self._warn), told, run, result)
        files.write_text(mark, told.content)
        return "pushed"

    def _told(self, run: RunDir, manifest: Manifest) -> TrackedRun:
        return TrackedRun(
            tracker_id=f"{run.id}-record",
            name=run.id,
            group=manifest.origin.parent or manifest.name,
            tags=manifest.tags,
            description=manifest.description,
            config=yaml_file.read_mapping(run.config),
            folder=self._runs / FOLDER / self._kind / run.id,
            runs=self._runs,
            began=datetime.fromisoformat(manifest.created),
            content=self._content(run),
        )

    def _content(self, run: RunDir) -> str:
        """A hash of every file that is told of, and of where it goes."""
        told = [run.manifest, run.result, *documents_of(run), *figures_of(run)]
        if self._settings.log_model == "best":
            told.append(run.checkpoints / "sha256sums")
        hashes = {path.name: files.sha256_file(path) for path in told if path.is_file()}
        return files.sha256_bytes(json.dumps([self._settings.project, hashes], sort_keys=True).encode())

    def _tell(self, tracker: Tracker, told: TrackedRun, run: RunDir, result: Result) -> None:
        rows = history.read(run.history)
        splits: Any = recorded.splits(run) if run.metrics.is_file() else {}
        ended = datetime.fromisoformat(result.ended)
        moments = _moments(run)
        best = run.checkpoints / BEST
        tracker.start(told)
        for row in rows:
            epoch = int(row["epoch"] or 0)
            tracker.log(row, epoch, moments.get(epoch, ended))
        tracker.finish(
            Outcome(
                metrics={
                    name: entry["value"]
                    for summary in splits.values()
                    for name, entry in summary["metrics"].items()
                },
                confusion=splits["val"]["confusion"] if "val" in splits else None,
                figures=figures_of(run),
                documents=documents_of(run),
                best_checkpoint=best if best.is_file() else None,
                exit_code=0 if result.state == "pruned" else result.exit_code,
                ended=ended,
            )
        )


def _moments(run: RunDir) -> dict[int, datetime]:
    """When each epoch ended, as the last start that trained it has written down."""
    return {
        int(event["epoch"]): datetime.fromisoformat(event["time"])
        for event in events.read(run.events).events
        if event["kind"] == "epoch" and isinstance(event.get("epoch"), int | float)
    }
