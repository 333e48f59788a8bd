"""One start of a run, carried out and written down.

The run directory exists and is locked. Every end that can be observed from here on, a crash of our own
included, is written into it, `result.json` last.
"""

import contextlib
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ctexp.core import clock, files, screen
from ctexp.core.errors import CtexpError, StorageError
from ctexp.core.paths import shown
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.data.selection import Selection
from ctexp.evaluation import figures, metrics
from ctexp.record import blocks, writing
from ctexp.record.events import EventLog
from ctexp.record.history import History, Row
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Failure, Measurement, Result, end_of
from ctexp.record.run_dir import RunDir
from ctexp.record.run_log import RunLog
from ctexp.training.checkpoints import BEST
from ctexp.training.epochs import EpochReport
from ctexp.training.fit import fit
from ctexp.training.measure import measure
from ctexp.training.memory import memory_errors
from ctexp.training.module import Classifier
from ctexp.training.stopping import StopRequests
from ctexp.training.tracking import Background, Outcome, TrackedRun, make_tracker


@dataclass
class RecordedAttempt:
    """Everything one start needs.

    Attributes:
        run: the directory, locked by the caller.
        manifest: what the run is.
        attempt: this start, not ended yet.
        tell: where the blocks are printed.
    """

    run: RunDir
    manifest: Manifest
    attempt: Attempt
    module: Classifier
    selection: Selection
    train: TrainBatches
    val: EvalBatches
    device: torch.device
    tell: Any

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._warnings: list[str] = []
        self._ended = False
        self._summary: dict[str, Any] | None = None

    def carry_out(self, resume: Path | None) -> Result:
        """Train, measure, and write how it ended.

        Args:
            resume: the checkpoint to go on from.

        Raises:
            StorageError: not even the end could be written.
        """
        location = shown(self.run.path)
        with RunLog(self.run.train_log) as log, StopRequests() as requests:
            opening = blocks.manifest_block(self.manifest, location)
            self.tell(opening)
            self._events = EventLog(self.run.events)
            self._history = History(self.run.history)
            self._tell_of_data()
            self._warn_of_changes()
            settings = self.module.settings
            tracker = Background(
                make_tracker(settings.logger, self._warn), settings.logger.timeout, self._warn
            )
            error: BaseException | None = None
            try:
                with memory_errors(settings):
                    self._train(tracker, requests, resume)
            except BaseException as caught:  # whatever ended it belongs in the record
                error = caught
            requests.let_finish()
            if error is not None:
                log.note("".join(traceback.format_exception(error)))
            tracker.finish(self._outcome(error))
            self._ended = True
            result = self._result(error)
            closing = blocks.results_block(result, location, shown(self.run.train_log))
            self.tell(closing)
            with contextlib.suppress(StorageError):  # the result says it too, if it can still be written
                self._events.write("end", state=result.state, exit_code=result.exit_code)
            writing.end(
                self.run,
                attempt=self.attempt.model_copy(
                    update={
                        "end": result.ended,
                        "ended": result.state,
                        "exit_code": result.exit_code,
                        "duration_seconds": result.duration_seconds,
                    }
                ),
                result=result,
                summary=f"{opening}\n{closing}",
            )
        return result

    def _train(self, tracker: Background, requests: StopRequests, resume: Path | None) -> None:
        settings = self.module.settings
        position = self.attempt.resumed_from
        self._events.write(
            "begin",
            attempt=self.attempt.number,
            device=str(self.device),
            resumed_from=position.model_dump() if position else None,
        )
        tracker.start(
            TrackedRun(
                tracker_id=self.attempt.tracker.run_id or "",
                name=self.run.id,
                group=self.manifest.origin.parent or self.manifest.name,
                tags=self.manifest.tags,
                description=self.manifest.description,
                config=settings.model_dump(mode="json"),
                folder=self.run.path,
            )
        )

        def track(row: Row) -> None:
            tracker.log(row, int(row["epoch"] or 0))

        fit(
            self.module,
            self.train,
            self.val,
            checkpoints=self.run.checkpoints,
            device=self.device,
            requests=requests,
            watchers=[
                EpochReport(
                    settings.trainer.monitor,
                    (self._history.append, lambda row: self._events.write("epoch", **row), track),
                )
            ],
            resume=resume,
        )
        self._summary = measure(self.run, self.module, self.val, self.selection, "val", self.device, requests)
        figures.curves(
            self._history.rows,
            self.run.figures / "curves.png",
            settings.trainer.monitor,
            self.selection.catalog.title,
        )

    def _warn(self, message: str) -> None:
        if self._ended:  # a tracker that wakes up later has nothing to add to a record that is closed
            return
        self._warnings.append(message)
        self._events.write("warning", message=message)
        screen.warn(message)

    def _tell_of_data(self) -> None:
        for note in self.selection.notes:
            screen.note(note)
        for warning in self.manifest.dataset.warnings:
            self._warn(warning)

    def _warn_of_changes(self) -> None:
        state = self.attempt.git
        if state.commit is None:
            self._warn(f"the code's version is unknown: {state.reason}")
        elif state.dirty:
            count = len(state.changed) + len(state.untracked)
            kept = f", saved as {state.patch}" if state.patch else ""
            self._warn(f"uncommitted changes in {count} code or configuration files{kept}")

    def _outcome(self, error: BaseException | None) -> Outcome:
        best = self.run.checkpoints / BEST
        return Outcome(
            metrics={name: entry["value"] for name, entry in self._summarised().items()},
            confusion=self._summary["confusion"] if self._summary else None,
            figures=tuple(sorted(self.run.figures.glob("*.png"))),
            best_checkpoint=best if best.exists() else None,
            exit_code=end_of(error).exit_code,
        )

    def _result(self, error: BaseException | None) -> Result:
        end = end_of(error)
        return Result(
            run_id=self.run.id,
            state=end.state,
            failure=end.failure,
            exit_code=end.exit_code,
            attempt=self.attempt.number,
            started=self.attempt.begin,
            ended=clock.iso(clock.now()),
            duration_seconds=time.monotonic() - self._began,
            epochs=len(self._history.rows),
            metrics={
                name: Measurement(value=value, low=low, high=high)
                for name, value, low, high in (metrics.headline(self._summary) if self._summary else [])
            },
            error=self._failure(error) if error else None,
            artifacts=self._artifacts(),
            warnings=tuple(self._warnings),
        )

    def _summarised(self) -> dict[str, dict[str, Any]]:
        return self._summary["metrics"] if self._summary else {}

    def _failure(self, error: BaseException) -> Failure:
        if isinstance(error, CtexpError):
            hint = error.hint or (
                f"scripts/inv train --resume {self.run.id}" if end_of(error).state == "interrupted" else ""
            )
            return Failure(kind=error.kind, message="\n".join(error.problems), hint=hint)
        path = self.run.attempt_traceback(self.attempt.number)
        files.write_text(path, "".join(traceback.format_exception(error)))
        return Failure(
            kind=type(error).__name__,
            message=str(error) or type(error).__name__,
            traceback_file=str(path.relative_to(self.run.path)),
        )

    def _artifacts(self) -> tuple[str, ...]:
        wanted = (
            "checkpoints/best.ckpt",
            "predictions_*.parquet",
            "metrics.json",
            "history.csv",
            "figures/*.png",
        )
        found = (path for pattern in wanted for path in sorted(self.run.path.glob(pattern)))
        return tuple(str(path.relative_to(self.run.path)) for path in found)
