"""Tidy values, one a line, in `tracker/metrics.csv` of the run directory."""

import csv
from datetime import datetime

from ctexp.trackers.protocol import Outcome, TrackedRun, Values


class CsvTracker:
    """A table that any program opens."""

    title = "CSV"
    later = ""

    def start(self, run: TrackedRun) -> None:
        """Open the file; later attempts append."""
        self._path = run.folder / "tracker" / "metrics.csv"
        self._path.parent.mkdir(exist_ok=True)
        if not self._path.exists():
            self._append([("epoch", "name", "value")])

    def log(self, values: Values, epoch: int, moment: datetime) -> None:  # noqa: ARG002 - no column for it
        """Add the metrics of an epoch."""
        self._append([(epoch, name, value) for name, value in values.items() if value is not None])

    def finish(self, outcome: Outcome) -> None:
        """Add the final metrics under `final/`."""
        self._append([("", f"final/{name}", value) for name, value in outcome.metrics.items()])

    def _append(self, rows: list[tuple[object, ...]]) -> None:
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerows(rows)
