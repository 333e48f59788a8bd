"""Comet, offline: an archive a run, which Comet's own client uploads.

The archive is written when the run ends; of a run that was killed there is none, and `export-runs` makes it.
"""

import os
from datetime import datetime
from typing import Any

from ctexp.config.schema.running import LoggerSettings
from ctexp.core import files
from ctexp.core.classes import CLASSES
from ctexp.core.dotted import flattened
from ctexp.trackers.protocol import Outcome, TrackedRun, Values

_QUIET = {
    "COMET_DISABLE_AUTO_LOGGING": "1",  # else it wants to be imported before torch, and patches it
    "COMET_LOGGING_CONSOLE": "ERROR",
}


class CometTracker:
    """`tracker/comet/<key>.zip` of the run directory."""

    title = "Comet"
    later = "scripts/inv export-runs --to comet"

    def __init__(self, settings: LoggerSettings) -> None:
        self._project = settings.project
        self._workspace = settings.entity
        self._wants_weights = settings.log_model == "best"
        self._experiment: Any = None

    def start(self, run: TrackedRun) -> None:
        """Open the archive; its key is made of the tracker's id."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from comet_ml import OfflineExperiment

        folder = run.folder / "tracker" / "comet"
        folder.mkdir(parents=True, exist_ok=True)
        self._experiment = OfflineExperiment(
            project_name=self._project,
            workspace=self._workspace,
            offline_directory=str(folder),
            experiment_key=files.sha256_bytes(run.tracker_id.encode())[:40],
            log_code=False,
            log_graph=False,
            auto_param_logging=False,
            auto_metric_logging=False,
            auto_output_logging="",
            parse_args=False,
            log_env_details=False,
            log_git_metadata=False,
            log_git_patch=False,
            display_summary_level=0,
        )
        self._experiment.set_name(run.name)
        self._experiment.add_tags(list(run.tags))
        self._experiment.log_others({"group": run.group, "description": run.description})
        self._experiment.log_parameters(flattened(dict(run.config)))

    def log(self, values: Values, epoch: int, moment: datetime) -> None:  # noqa: ARG002 - Comet has its own clock
        """Add the metrics of an epoch."""
        known = {name: value for name, value in values.items() if value is not None}
        self._experiment.log_metrics(known, step=epoch, epoch=epoch)

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics, the confusion matrix, figures and documents, and write the archive."""
        self._experiment.log_metrics(outcome.known)
        if outcome.confusion is not None:
            self._experiment.log_confusion_matrix(matrix=outcome.confusion, labels=list(CLASSES))
        for path in outcome.figures:
            self._experiment.log_image(str(path), name=path.stem)
        for path in outcome.documents:
            self._experiment.log_asset(str(path), file_name=path.name)
        if self._wants_weights and outcome.best_checkpoint is not None:
            self._experiment.log_model("best", str(outcome.best_checkpoint))
        self._experiment.end()
