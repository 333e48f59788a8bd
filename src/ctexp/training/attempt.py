"""One start of a run, carried out and written down.

The run directory exists and is locked. Every end that can be observed from here on, a crash of our own
included, is written into it, `result.json` last.
"""

import contextlib
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from ctexp.config.advice import advice
from ctexp.core import screen
from ctexp.core.errors import StorageError, TimeBudgetUsed
from ctexp.core.files import disk_full
from ctexp.core.paths import shown
from ctexp.core.wording import many
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.data.selection import Selection
from ctexp.evaluation import figures
from ctexp.record import blocks, checkpoint_files, writing
from ctexp.record.checkpoint_files import BEST
from ctexp.record.events import EventLog
from ctexp.record.history import History, Row
from ctexp.record.manifest import Attempt, Manifest
from ctexp.record.result import Deviation, Result
from ctexp.record.run_dir import RunDir
from ctexp.record.run_log import RunLog
from ctexp.trackers.background import Background
from ctexp.trackers.choosing import make_trackers
from ctexp.trackers.protocol import TrackedRun
from ctexp.training.alarms import Alarms
from ctexp.training.ending import Ending
from ctexp.training.judging.measure import measure
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.epochs import EpochReport
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.memory.exhaustion import while_answering
from ctexp.training.memory.parts import FitInParts, normalises_batches
from ctexp.training.ranks import Others
from ctexp.training.refereed import Refereed


@dataclass
class RecordedAttempt:
    """Everything one start needs.

    Attributes:
        run: the directory, locked by the caller.
        manifest: what the run is.
        attempt: this start, not ended yet.
        others: devices besides the first.
        earlier: how earlier starts departed from the configuration; the last of it holds on.
        conf: the folder of the configuration's groups.
        tell: where the blocks are printed.
        referee: who watches from outside.
    """

    run: RunDir
    manifest: Manifest
    attempt: Attempt
    earlier: tuple[Deviation, ...]
    module: Classifier
    selection: Selection
    train: TrainBatches
    val: EvalBatches
    device: torch.device
    others: Others
    conf: Path
    tell: Any
    referee: Refereed

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._warnings: list[str] = []
        self._ended = False
        self._summary: dict[str, Any] | None = None

    def carry_out(self, resume: Path | None) -> Result:
        """Train, measure, and write how it ended.

        Raises:
            StorageError: not even the end could be written.
        """
        location = shown(self.run.path)
        with RunLog(self.run.train_log) as self._log, StopRequests() as requests:
            opening = blocks.manifest_block(self.manifest, location)
            self.tell(opening)
            if position := self.attempt.resumed_from:
                last = self.module.settings.trainer.max_epochs
                self.tell(f"start {self.attempt.number}: goes on after epoch {position.epoch} of {last}")
            self._events = EventLog(self.run.events)
            self._history = History(self.run.history)
            settings = self.module.settings
            self._alarms = Alarms(
                self.run,
                self.manifest,
                settings,
                self.conf,
                self.attempt.number,
                self._events,
                self._history.rows,
            )
            tracker = Background(
                make_trackers(settings.logger, self._warn), settings.logger.timeout, self._warn
            )
            error = self._caught(lambda: self._work(tracker, requests, resume))
            requests.let_finish()
            late = self._caught(lambda: self._warn_of(self._afterthoughts()))
            error = error or late
            tracker.finish(self._ending(error).outcome())
            self._ended = True
            ending = self._ending(error)
            result = ending.result()
            closing = blocks.results_block(
                result, location, shown(self.run.train_log), self.manifest.estimate
            )
            self.tell(closing)
            with contextlib.suppress(StorageError):  # the result says it too, if it can still be written
                self._events.write("end", state=result.state, exit_code=result.exit_code)
            writing.end(
                self.run, attempt=ending.closed(result), result=result, summary=f"{opening}\n{closing}"
            )
            if result.state == "finished":
                with contextlib.suppress(StorageError):  # what is left over harms nobody
                    checkpoint_files.drop_spare(self.run.checkpoints)
        return result

    def _caught(self, work: Callable[[], None]) -> BaseException | None:
        """What ended a piece of work, None for its own end: whatever it is belongs in the record."""
        try:
            work()
        except BaseException as error:
            self._log.note(traceback.format_exc())
            return disk_full(error) or error
        return None

    def _work(self, tracker: Background, requests: StopRequests, resume: Path | None) -> None:
        for note in self.selection.notes:
            screen.note(note)
        self._warn_of(self._forewarnings())
        self._train(tracker, requests, resume)

    def _warn_of(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self._warn(problem)

    def _forewarnings(self) -> list[str]:
        """What the reader of this run should know from its beginning on, one line each."""
        return [
            *self.manifest.dataset.warnings,
            *advice(self.module.settings.unwatched()),
            *self._uncommitted(),
        ]

    def _afterthoughts(self) -> list[str]:
        """What only shows when all is done, however it ended, one line each."""
        found = [self._log.problem] if self._log.problem else []
        if self._summary is not None:
            found += self._alarms.twins(self._summary["split"])
        return found + self._alarms.unread(self._summary is not None)

    def _sinks(self, tracker: Background) -> tuple[Callable[[Row], None], ...]:
        """Who gets the row of each epoch, in this order."""
        return (
            self._history.append,
            lambda row: self._events.write("epoch", **row),
            lambda row: tracker.log(row, int(row["epoch"] or 0)),
            self._alarms.see,
            self.referee.see,
        )

    def _train(self, tracker: Background, requests: StopRequests, resume: Path | None) -> None:
        settings = self.module.settings
        position = self.attempt.resumed_from
        self._events.write(
            "begin",
            attempt=self.attempt.number,
            device=str(self.device),
            devices=self.attempt.devices,
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
                runs=self.run.path.parent,
                began=datetime.fromisoformat(self.attempt.begin),
            )
        )
        self.referee.begin(self.run.id, self._history.rows)
        fitting = FitInParts(
            module=self.module,
            train=self.train,
            val=self.val,
            images=len(self.selection.rows["train"]),
            checkpoints=self.run.checkpoints,
            device=self.device,
            requests=requests,
            budget=TimeBudget(settings.trainer.max_minutes),
            history=self._history,
            watchers=lambda: [EpochReport(settings.trainer.monitor, self._sinks(tracker))],
            depart=self._depart,
            note=self._log.note,
            others=self.others,
        )
        over: TimeBudgetUsed | None = None
        try:
            fitting(resume)
        except TimeBudgetUsed as used:
            if not (self.run.checkpoints / BEST).exists():
                raise TimeBudgetUsed(f"{used}; no epoch was finished: there is nothing to evaluate") from used
            over = used
        self._alarms.trained()
        average = fitting.module.average
        if average is not None and not average.has_begun:
            self._warn(
                "training ended before averaging.start: nothing was averaged, the weights are plain ones"
            )
        with while_answering(settings):
            self._summary = measure(
                self.run, fitting.module, self.val, self.selection, "val", self.device, requests
            )
        figures.curves(
            self._history.rows,
            self.run.figures / "curves.png",
            settings.trainer.monitor,
            self.selection.catalog.title,
        )
        if over is not None:
            raise over

    def _depart(self, deviation: Deviation) -> None:
        """Write down at once that training goes on otherwise than configured: a kill must not undo it."""
        self.attempt = self.attempt.model_copy(update={"deviations": (*self.attempt.deviations, deviation)})
        self.attempt.write(self.run.attempt(self.attempt.number))
        self._events.write("deviation", **deviation.model_dump())
        self._warn(
            f"{deviation.reason}; going on from step {deviation.step} in {deviation.after} {deviation.what}"
            f" instead of {deviation.before}"
        )
        if normalises_batches(self.module):
            self._warn("batch normalisation now learns from these smaller parts: metrics may differ")

    def _warn(self, message: str) -> None:
        if self._ended:  # a tracker that wakes up later has nothing to add to a record that is closed
            return
        self._warnings.append(message)
        with contextlib.suppress(StorageError):  # training itself finds out, and the result has it
            self._events.write("warning", message=message)
        screen.warn(message)

    def _uncommitted(self) -> list[str]:
        state = self.attempt.git
        if state.commit is None:
            return [f"the code's version is unknown: {state.reason}"]
        if not state.dirty:
            return []
        count = len(state.changed) + len(state.untracked)
        kept = f", saved as {state.patch}" if state.patch else ""
        return [f"uncommitted changes in code or configuration: {many(count, 'file')}{kept}"]

    def _ending(self, error: BaseException | None) -> Ending:
        return Ending(
            run=self.run,
            attempt=self.attempt,
            error=error,
            seconds=time.monotonic() - self._began,
            epochs=len(self._history.rows),
            summary=self._summary,
            warnings=(*self._warnings, *self._alarms.holding()),
            earlier=self.earlier,
        )
