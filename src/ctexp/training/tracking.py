"""Experiment trackers, kept at arm's length: none of them can fail a run or hold it up.

Every call to a tracker is a job on one background thread. Training hands over values and goes on; at the end
it waits for the thread, but not longer than the bound. What a tracker never took is not lost: the run
directory is the truth, and `inv wandb-sync` sends it later.
"""

import csv
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ctexp.config.schema import LoggerSettings
from ctexp.core.classes import CLASSES

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told when a run begins.

    Attributes:
        tracker_id: unique per attempt; two starts under one id would overwrite each other.
        group: what holds the attempts and seeds of one experiment together.
        folder: the run directory.
    """

    tracker_id: str
    name: str
    group: str
    tags: tuple[str, ...]
    description: str
    config: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What a tracker is told when a run ends."""

    metrics: Values
    confusion: list[list[int]] | None
    figures: tuple[Path, ...]
    best_checkpoint: Path | None
    exit_code: int


class Tracker(Protocol):
    """A place that epoch metrics go to."""

    def start(self, run: TrackedRun) -> None:
        """Open the run."""
        ...

    def log(self, values: Values, epoch: int) -> None:
        """Add the metrics of an epoch, counted from 1."""
        ...

    def finish(self, outcome: Outcome) -> None:
        """Close the run."""
        ...


class WandbTracker:
    """Weights & Biases; online falls back to offline when the service does not answer in time."""

    def __init__(self, settings: LoggerSettings, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._warn = warn
        self._run: Any = None

    def start(self, run: TrackedRun) -> None:
        """Open the run, offline if need be."""
        import wandb

        os.environ.setdefault("WANDB_SILENT", "true")
        mode: Literal["offline", "online"] = self._settings.mode
        # Asked before `init` is called: an online start that failed would keep the run's id in use.
        if mode == "online" and (problem := _unreachable(wandb, self._settings.timeout)):
            self._warn(
                f"W&B: {problem}; this run is tracked offline, `scripts/inv wandb-sync` sends it later"
            )
            mode = "offline"
        self._run = wandb.init(
            id=run.tracker_id,
            name=run.name,
            group=run.group,
            tags=list(run.tags),
            notes=run.description or None,
            config=dict(run.config),
            project=self._settings.project,
            entity=self._settings.entity,
            dir=run.folder,
            mode=mode,
            settings=wandb.Settings(init_timeout=self._settings.timeout, console="off", x_disable_stats=True),
        )

    def log(self, values: Values, epoch: int) -> None:
        """Add the metrics of an epoch."""
        known = {name: value for name, value in values.items() if value is not None}
        self._run.log({**known, "epoch": epoch}, step=epoch)

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics, the confusion matrix, the figures and, when asked, the best checkpoint."""
        import wandb

        self._run.summary.update(
            {f"final/{name}": value for name, value in outcome.metrics.items() if value is not None}
        )
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
        if self._settings.log_model == "best" and outcome.best_checkpoint is not None:
            artifact = wandb.Artifact(f"{self._run.id}-best", type="model")
            artifact.add_file(str(outcome.best_checkpoint))
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=outcome.exit_code)
        if not self._run.offline:
            # The mark of W&B's own client: `wandb-sync` need not send this segment again.
            segment = Path(self._run.dir).parent
            (segment / f"run-{self._run.id}.wandb.synced").touch()


def _unreachable(wandb: Any, timeout: float) -> str:
    """Why an online run cannot begin; empty when it can."""
    url = os.environ.get("WANDB_BASE_URL") or wandb.setup().settings.base_url
    try:
        with urllib.request.urlopen(url, timeout=timeout):  # noqa: S310 - W&B's own setting, http or https
            pass
    except urllib.error.HTTPError:
        pass  # an answer, if a grumpy one
    except (OSError, ValueError) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"
    try:
        return "" if wandb.login(prompt=False) else "no credentials"
    except wandb.Error as error:
        return f"{url} refuses the credentials ({type(error).__name__})"


class CsvTracker:
    """Tidy values, one a line, in `tracker/metrics.csv` of the run directory."""

    def start(self, run: TrackedRun) -> None:
        """Open the file; later attempts append."""
        self._path = run.folder / "tracker" / "metrics.csv"
        self._path.parent.mkdir(exist_ok=True)
        if not self._path.exists():
            self._append([("epoch", "name", "value")])

    def log(self, values: Values, epoch: int) -> None:
        """Add the metrics of an epoch."""
        self._append([(epoch, name, value) for name, value in values.items() if value is not None])

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics under `final/`."""
        self._append([("", f"final/{name}", value) for name, value in outcome.metrics.items()])

    def _append(self, rows: list[tuple[object, ...]]) -> None:
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerows(rows)


class Background:
    """Runs a tracker on a thread of its own, so that its delays and failures stay its own.

    Args:
        tracker: who is told; None for nobody.
        timeout: seconds that the end of a run waits for what is still under way.
        warn: where one line about a failure goes.
    """

    def __init__(self, tracker: Tracker | None, timeout: float, warn: Callable[[str], None]) -> None:
        self._tracker = tracker
        self._timeout = timeout
        self._warn = warn
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, run: TrackedRun) -> None:
        """Open the run, in the background."""
        if (tracker := self._tracker) is None:
            return
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._jobs.put(lambda: tracker.start(run))
        self._thread.start()

    def log(self, values: Values, epoch: int) -> None:
        """Hand over the metrics of an epoch."""
        if (tracker := self._tracker) is not None:
            self._jobs.put(lambda: tracker.log(values, epoch))

    def finish(self, outcome: Outcome) -> None:
        """Close the run, waiting no longer than the bound."""
        if (tracker := self._tracker) is None or self._thread is None:
            return
        self._jobs.put(lambda: tracker.finish(outcome))
        self._jobs.put(None)
        self._thread.join(self._timeout)
        if self._thread.is_alive():
            self._warn(
                f"the tracker did not answer within {self._timeout:.0f} s; the run directory is complete,"
                " `scripts/inv wandb-sync` sends it later"
            )
            self._tracker = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # a tracker may fail in any way it likes
                if self._tracker is not None:
                    self._tracker = None
                    self._warn(
                        f"the tracker failed ({type(error).__name__}: {error}); the run goes on without"
                    )
                return


def make_tracker(settings: LoggerSettings, warn: Callable[[str], None]) -> Tracker | None:
    """The tracker that a configuration names; None for `none`."""
    if settings.name == "wandb":
        return WandbTracker(settings, warn)
    if settings.name == "csv":
        return CsvTracker()
    return None
