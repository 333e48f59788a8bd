"""How an attempt ended, for the record and for the tracker."""

import contextlib
import traceback
from dataclasses import dataclass
from typing import Any

from ctexp.core import clock, files
from ctexp.core.errors import CtexpError, DataError, StorageError
from ctexp.core.failures.catalogue import explain
from ctexp.core.paths import shown
from ctexp.evaluation import metrics
from ctexp.record.checkpoint_files import BEST
from ctexp.record.manifest import Attempt
from ctexp.record.result import Deviation, Failure, Measurement, Result, end_of
from ctexp.record.run_dir import RunDir
from ctexp.trackers.documents import documents_of, figures_of
from ctexp.trackers.protocol import Outcome
from ctexp.training.kernel.checkpoints import newest

_ARTIFACTS = (
    "checkpoints/best.ckpt",
    "predictions_*.parquet",
    "calibration.json",
    "metrics.json",
    "history.csv",
    "figures/*.png",
)


@dataclass(frozen=True)
class Ending:
    """All that is known of an attempt when it has ended.

    Attributes:
        run: its directory.
        attempt: the start, as it stands in the record.
        error: what ended it; None where it came to its own end.
        seconds: how long it took.
        epochs: whole epochs in its history.
        summary: of the validation split, as in `metrics.json`; None where it was not measured.
        warnings: what the reader of its numbers should know.
        earlier: deviations of earlier attempts.
    """

    run: RunDir
    attempt: Attempt
    error: BaseException | None
    seconds: float
    epochs: int
    summary: dict[str, Any] | None
    warnings: tuple[str, ...]
    earlier: tuple[Deviation, ...]

    def outcome(self) -> Outcome:
        """What the tracker is told."""
        best = self.run.checkpoints / BEST
        measured = self.summary["metrics"] if self.summary else {}
        end = end_of(self.error)
        return Outcome(
            metrics={name: entry["value"] for name, entry in measured.items()},
            confusion=self.summary["confusion"] if self.summary else None,
            figures=figures_of(self.run),
            documents=documents_of(self.run),
            best_checkpoint=best if best.exists() else None,
            # Trackers know nothing between success and failure, and to be left behind is no failure.
            exit_code=0 if end.state == "pruned" else end.exit_code,
            ended=clock.now(),
        )

    def result(self) -> Result:
        """What stands in `result.json`."""
        end = end_of(self.error)
        return Result(
            run_id=self.run.id,
            state=end.state,
            failure=end.failure,
            exit_code=end.exit_code,
            attempt=self.attempt.number,
            started=self.attempt.begin,
            ended=clock.iso(clock.now()),
            duration_seconds=self.seconds,
            epochs=self.epochs,
            metrics={
                name: Measurement(value=value, low=low, high=high)
                for name, value, low, high in (metrics.headline(self.summary) if self.summary else [])
            },
            error=self._failure(self.error) if self.error else None,
            artifacts=self._artifacts(),
            warnings=self.warnings,
            deviations=(*self.earlier, *self.attempt.deviations),
            predictions=self._predictions(),
        )

    def _predictions(self) -> dict[str, str]:
        """The digest of the table of predictions that the summary is of."""
        if self.summary is None:
            return {}
        split = self.summary["split"]
        return {split: files.sha256_file(self.run.predictions(split))}

    def closed(self, result: Result) -> Attempt:
        """The page of this start, its end filled in."""
        return self.attempt.model_copy(
            update={
                "end": result.ended,
                "ended": result.state,
                "exit_code": result.exit_code,
                "duration_seconds": result.duration_seconds,
            }
        )

    def _failure(self, error: BaseException) -> Failure:
        known = explain(error)
        remedy = known.hint if known else ""
        if isinstance(error, CtexpError):
            return Failure(
                kind=error.kind,
                message="\n".join(error.problems),
                hint="; ".join(filter(None, (error.hint or remedy, self._way_on(error)))),
            )
        path = self.run.attempt_traceback(self.attempt.number)
        with contextlib.suppress(StorageError):  # the log has it too; the result matters more
            files.write_text(path, "".join(traceback.format_exception(error)))
        return Failure(
            kind=type(error).__name__,
            message=str(error) or type(error).__name__,
            hint=remedy,
            traceback_file=str(path.relative_to(self.run.path)) if path.exists() else None,
        )

    def _way_on(self, error: BaseException) -> str:
        """What this run has to go on from."""
        resume = f"scripts/inv train --resume {self.run.id}"
        match end_of(error).state:
            case "interrupted":
                return resume
            case "timeout":
                return f"{resume} goes on for as long again"
            case "diverged":
                return self._last_good()
            case _:
                return ""

    def _last_good(self) -> str:
        try:
            found = newest(self.run.checkpoints)
        except DataError as damage:
            return str(damage)
        if found is None:
            return "no checkpoint had been written yet"
        return f"the last good checkpoint is {shown(found.path)} (epoch {found.epoch}, step {found.step})"

    def _artifacts(self) -> tuple[str, ...]:
        found = (path for pattern in _ARTIFACTS for path in sorted(self.run.path.glob(pattern)))
        return tuple(str(path.relative_to(self.run.path)) for path in found)
