"""Weights & Biases; online falls back to offline when the service does not answer in time."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ctexp.config.schema.running import LoggerSettings
from ctexp.core.classes import CLASSES
from ctexp.trackers.protocol import Outcome, TrackedRun, Values


class WandbTracker:
    """A run of W&B."""

    title = "W&B"
    later = "scripts/inv wandb-sync"

    def __init__(self, settings: LoggerSettings, warn: Callable[[str], None]) -> None:
        self._mode: Literal["offline", "online"] = settings.mode
        self._project = settings.project
        self._entity = settings.entity
        self._timeout = settings.timeout
        self._wants_weights = settings.log_model == "best"
        self._warn = warn
        self._run: Any = None

    def start(self, run: TrackedRun) -> None:
        """Open the run, offline if need be."""
        import wandb

        os.environ.setdefault("WANDB_SILENT", "true")
        mode = self._mode
        # Asked before `init` is called: an online start that failed would keep the run's id in use.
        if mode == "online" and (problem := unreachable(self._timeout)):
            self._warn(f"W&B: {problem}; this run is tracked offline, `{self.later}` sends it later")
            mode = "offline"
        self._run = wandb.init(
            id=run.tracker_id,
            name=run.name,
            group=run.group,
            tags=list(run.tags),
            notes=run.description or None,
            config=dict(run.config),
            project=self._project,
            entity=self._entity,
            dir=run.folder,
            mode=mode,
            settings=wandb.Settings(init_timeout=self._timeout, console="off", x_disable_stats=True),
        )

    def log(self, values: Values, epoch: int, moment: datetime) -> None:  # noqa: ARG002 - W&B has its own clock
        """Add the metrics of an epoch."""
        known = {name: value for name, value in values.items() if value is not None}
        self._run.log({**known, "epoch": epoch}, step=epoch)

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics, the confusion matrix, the figures and, when asked, the best checkpoint."""
        import wandb

        self._run.summary.update(outcome.known)
        pictures: dict[str, Any] = {
            f"figures/{path.stem}": wandb.Image(str(path)) for path in outcome.figures
        }
        if outcome.confusion is not None:
            cells = [
                [truth, predicted, outcome.confusion[i][j]]
                for i, truth in enumerate(CLASSES)
                for j, predicted in enumerate(CLASSES)
            ]
            pictures["val/confusion"] = wandb.Table(columns=["truth", "predicted", "images"], data=cells)
        if pictures:
            self._run.log(pictures)
        if self._wants_weights and outcome.best_checkpoint is not None:
            artifact = wandb.Artifact(f"{self._run.id}-best", type="model")
            artifact.add_file(str(outcome.best_checkpoint))
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=outcome.exit_code)
        if not self._run.offline:
            # The mark of W&B's own client: `wandb-sync` need not send this segment again.
            segment = Path(self._run.dir).parent
            (segment / f"run-{self._run.id}.wandb.synced").touch()


def unreachable(timeout: float) -> str:
    """Why nothing can be sent to the service; empty when it can.

    Args:
        timeout: seconds that it may take to answer.
    """
    import wandb

    url = os.environ.get("WANDB_BASE_URL") or wandb.setup().settings.base_url
    if not url.startswith(("http://", "https://")):
        return f"{url} is no address of http or https"
    try:
        with urllib.request.urlopen(url, timeout=timeout):  # noqa: S310 - http or https
            pass
    except urllib.error.HTTPError:
        pass  # an answer, if a grumpy one
    except (OSError, ValueError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
    try:
        return "" if wandb.login(prompt=False) else "no credentials"
    except wandb.Error as error:
        return f"{url} refuses the credentials ({type(error).__name__})"
