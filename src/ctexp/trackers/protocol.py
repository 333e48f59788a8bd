"""What trackers are told of a run, and by which calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told when a run begins.

    Attributes:
        tracker_id: unique per attempt; two starts under one id would overwrite each other.
        group: what holds the attempts and seeds of one experiment together.
        folder: where a tracker that keeps files of the run may put them: the run directory, while it trains.
        runs: the folder of all runs, where a store of all of them lies.
        began: when it began.
        content: a hash of all that will be told of a run that has ended; empty of one that trains.
    """

    tracker_id: str
    name: str
    group: str
    tags: tuple[str, ...]
    description: str
    config: Mapping[str, Any]
    folder: Path
    runs: Path
    began: datetime
    content: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a tracker is told when a run ends.

    Attributes:
        documents: files of the record that are worth keeping beside the figures.
    """

    metrics: Values
    confusion: list[list[int]] | None
    figures: tuple[Path, ...]
    documents: tuple[Path, ...]
    best_checkpoint: Path | None
    exit_code: int
    ended: datetime

    @property
    def known(self) -> dict[str, float]:
        """The final metrics that are defined, under `final/`."""
        return {f"final/{name}": value for name, value in self.metrics.items() if value is not None}


class Tracker(Protocol):
    """A place that a run's metrics go to. Any call may fail or hang.

    Attributes:
        title: what people call it.
        later: the command that sends what it never took; empty where nothing is to be sent.
    """

    title: str
    later: str

    def start(self, run: TrackedRun) -> None:
        """Open the run."""
        ...

    def log(self, values: Values, epoch: int, moment: datetime) -> None:
        """Add the metrics of an epoch, counted from 1, that ended at this moment."""
        ...

    def finish(self, outcome: Outcome) -> None:
        """Close the run."""
        ...
