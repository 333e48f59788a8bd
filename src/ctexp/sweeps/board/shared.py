"""The board: what agents ask and tell."""

import math
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from optuna import Study
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.begun import lives
from ctexp.sweeps.board import progress
from ctexp.sweeps.board.candidates import Candidates, New
from ctexp.sweeps.board.connection import patiently
from ctexp.sweeps.board.connection import told as as_ours
from ctexp.sweeps.board.heartbeats import last_beats, notes_while_running
from ctexp.sweeps.board.keeping import Keeping
from ctexp.sweeps.board.locking import Lock
from ctexp.sweeps.board.notes import Chosen, attempt_of, row_of, runs_of, seconds_of
from ctexp.sweeps.board.pruning import pruner_of
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Over, Row, Taken, Told, Wait

ATTEMPTS = 3
"""So many agents may die over a trial; then it counts as failed."""


class SharedBoard:
    """A sweep's trials in Optuna's tables, where one row is one trial, whoever works on it and how often.

    Deciding who has a trial, and noting its end, is done by one agent at a time; beats and epochs are told by
    the one that has it, and epochs refused from one that no longer has.

    Args:
        what: names the database in messages.
        grace: seconds without a beat, after which an agent is taken for dead.
    """

    def __init__(
        self,
        place: SweepDir,
        spec: Spec,
        sweep: Sweep,
        identity: Callable[[Values], str],
        storage: RDBStorage,
        study: Study,
        lock: Lock,
        what: str,
        grace: float,
    ) -> None:
        self._place = place
        self._spec = spec
        self._sweep = sweep
        self._storage = storage
        self._study = study
        self._keeping = Keeping(storage, study, spec.space)
        self._candidates = Candidates(spec, sweep.seed, identity, self._keeping)
        self._lock = lock
        self._what = what
        self._grace = grace
        self._closed = weakref.finalize(self, storage.engine.dispose)

    def close(self) -> None:
        """Let go of the database; done too when nobody has the board any more."""
        self._closed()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with as_ours(self._what), self._lock():
            yield

    @patiently
    def take(self, agent: str) -> Taken | Wait | Over:
        """Claim the next trial: one whose agent died, one that waits, or a new one.

        Raises:
            UsageError: the constraints leave hardly anything to draw.
            Busy: another agent has kept the board for a minute.
            StorageError: the database cannot be reached or written.
        """
        with self._alone():
            trials = self._keeping.trials()
            if why := self._enough(trials):
                return self._over(why, trials)
            for trial in self._abandoned(trials):
                if attempt_of(trial.user_attrs).lost + 1 < ATTEMPTS:
                    return self._keeping.claim(trial, agent, lost=True)
                problem = f"{ATTEMPTS} agents died while they were at work on it"
                self._keeping.end(trial._trial_id, Told("failed", None, problem=problem))
            waiting = self._candidates.waiting(trials)
            if waiting is not None:
                return self._keeping.claim(waiting, agent)
            if self._spec.backend == "wandb":  # it hands out the others, see `enter`
                return Wait(sum(trial.state is TrialState.RUNNING for trial in trials))
            found = self._candidates.new(trials)
            if isinstance(found, New):
                return self._keeping.begin(agent, found.number, found.chosen)
            trials = self._keeping.trials()
            running = sum(trial.state is TrialState.RUNNING for trial in trials)
            return Wait(running) if running else self._over(found, trials)

    @patiently
    def enter(self, agent: str, values: Values) -> Taken:
        """Claim a new trial whose values somebody else has chosen."""
        with self._alone():
            return self._keeping.begin(agent, len(self._keeping.trials()), Chosen(values))

    @patiently
    def beat(self, taken: Taken) -> bool:
        """Say that its agent lives, every `trials.BEAT_SECONDS`; False where another one has it by now."""
        with as_ours(self._what):
            if self._mine(taken) is None:
                return False
            self._storage.record_heartbeat(taken.key)
            return True

    @patiently
    def began(self, taken: Taken, member: str, run: str) -> None:
        """Note the run of a member, so that whoever goes on with the trial finds it."""
        with as_ours(self._what):
            if (notes := self._mine(taken)) is not None:
                self._keeping.note_runs(taken.key, {**runs_of(notes), member: run})

    @patiently
    def report(self, taken: Taken, epoch: int, value: float) -> bool:
        """Note the metric after so many epochs; whether the trial should be pruned.

        Where another agent has the trial by now, nothing is noted and the answer is yes.
        """
        with as_ours(self._what):
            if self._mine(taken) is None:
                return True
            try:
                self._storage.set_trial_intermediate_value(taken.key, epoch, value)
            except UpdateFinishedTrialError:
                return True
            if self._spec.early is None:
                return False
            trial = self._storage.get_trial(taken.key)
            return pruner_of(self._spec.early).prune(self._study, trial)

    @patiently
    def finish(self, taken: Taken, told: Told) -> bool:
        """Note the end; False where another agent has taken the trial meanwhile, and nothing is noted."""
        if told.state == "finished" and (told.value is None or not math.isfinite(told.value)):
            problem = told.problem or f"its objective is {told.value}"
            told = replace(told, state="failed", value=None, problem=problem)
        with self._alone():
            if self._mine(taken) is None:
                return self._keeping.has_ended(taken.key, told)
            self._keeping.end(taken.key, told)
            self._write_progress(self._keeping.trials())
            return True

    @patiently
    def give_back(self, taken: Taken, why: str, *, retry: bool = True, seconds: float = 0.0) -> None:
        """Let another agent go on with it, or with `retry=False` count it as failed."""
        with self._alone():
            if self._mine(taken) is None:
                return
            if retry:
                self._keeping.release(taken.key, seconds)
            else:
                self._keeping.end(taken.key, Told("failed", None, problem=why, seconds=seconds))
            self._write_progress(self._keeping.trials())

    @patiently
    def rows(self) -> list[Row]:
        """Every trial, by number."""
        with as_ours(self._what):
            trials = self._keeping.trials()
            beats, _ = last_beats(self._storage.engine, _ids(trials, TrialState.RUNNING))
        return self._all(trials, [row_of(trial, beats.get(trial._trial_id)) for trial in trials])

    def _all(self, trials: list[FrozenTrial], begun: list[Row]) -> list[Row]:
        """The rows of those that were begun, and of a grid's cells that were not."""
        ahead = self._candidates.ahead(trials)
        return [*begun, *(Row(len(trials) + i, "waiting", values, 0) for i, values in enumerate(ahead))]

    def _mine(self, taken: Taken) -> dict[str, Any] | None:
        """The notes of a trial; None where it has ended or is somebody else's."""
        notes = notes_while_running(self._storage.engine, taken.key)
        return notes if notes is not None and attempt_of(notes).number == taken.attempt else None

    def _abandoned(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """The trials whose agents are dead, and with them their trainings.

        An agent that was suspended with its machine is silent too, and so is one that was killed while its
        training still writes its last checkpoint: as long as a run's lock is held here, nobody touches it.
        A beat in the future is from before the clock was set back.
        """
        running = [trial for trial in trials if trial.state is TrialState.RUNNING]
        if not running:
            return []
        beats, now = last_beats(self._storage.engine, _ids(running, TrialState.RUNNING))

        def is_silent(trial: FrozenTrial) -> bool:
            beat = beats.get(trial._trial_id)
            return beat is None or abs((now - beat).total_seconds()) > self._grace

        return [trial for trial in running if is_silent(trial) and not self._trains(trial)]

    def _trains(self, trial: FrozenTrial) -> bool:
        runs = self._place.path.parents[1]
        return lives(runs, self._sweep, trial.number, runs_of(trial.user_attrs).values())

    def _enough(self, trials: list[FrozenTrial]) -> str:
        """Why no trial is to be begun, whatever there may be; empty where nothing speaks against it."""
        target = self._spec.target
        if target is not None:
            values = [trial.value for trial in trials if trial.state is TrialState.COMPLETE]
            sign = 1.0 if self._spec.goal == "maximize" else -1.0
            if any(value is not None and sign * value >= sign * target for value in values):
                return "the target is reached"
        budget = self._sweep.budget_seconds
        if budget is not None and sum(map(seconds_of, trials)) >= budget:
            return "the budget is used up"
        return ""

    def _over(self, why: str, trials: list[FrozenTrial]) -> Over:
        running = sum(trial.state is TrialState.RUNNING for trial in trials)
        if running == len(self._abandoned(trials)):  # nobody will go on with those
            self._write_progress(trials, why)
        return Over(why)

    def _write_progress(self, trials: list[FrozenTrial], why: str = "") -> None:
        rows = self._all(trials, [row_of(trial) for trial in trials])
        progress.write(self._place, self._spec, rows, why)


def _ids(trials: list[FrozenTrial], state: TrialState) -> list[int]:
    """The storage's own names of those trials that are in a state."""
    return [trial._trial_id for trial in trials if trial.state is state]
