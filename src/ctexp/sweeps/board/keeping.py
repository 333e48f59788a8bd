"""Trials as Optuna's storage keeps them: read, added, claimed, ended.

Whatever takes several transactions is in an order that makes sense wherever it is cut off.
"""

from dataclasses import asdict
from typing import Any

from optuna import Study
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from ctexp.core import clock
from ctexp.sweeps.board.dimensions import as_drawn
from ctexp.sweeps.board.notes import (
    ATTEMPT,
    IDENTITY,
    POINT,
    REUSED,
    RUNS,
    TOLD,
    VALUES,
    Attempt,
    attempt_of,
    runs_of,
    told_note,
    told_of,
    values_of,
)
from ctexp.sweeps.space import Space, Values
from ctexp.sweeps.trials import Taken, Told

_ENDS = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


class Keeping:
    """The trials of one study."""

    def __init__(self, storage: RDBStorage, study: Study, space: Space) -> None:
        self._storage = storage
        self._study = study
        self._space = space

    def trials(self) -> list[FrozenTrial]:
        """All, by number; ended ones are read once. They are shared: nobody changes them."""
        return self._study.get_trials(deepcopy=False)

    def add(self, values: Values, identity: str = "", place: int = 0) -> FrozenTrial:
        """Make a trial that waits.

        Args:
            values: of its parameters.
            identity: of its configuration; empty where it is not known.
            place: of the sequence of draws, the first after it.
        """
        notes = {VALUES: values, IDENTITY: identity, POINT: place}
        return self._storage.get_trial(self._add(TrialState.WAITING, values, notes))

    def begin(self, agent: str, number: int, values: Values, identity: str = "", place: int = 0) -> Taken:
        """Make a trial and give it to an agent.

        Args:
            agent: who has it.
            number: how many trials there are.
            values: of its parameters.
            identity: of its configuration; empty where it is not known.
            place: of the sequence of draws, the first after it.
        """
        attempt = Attempt(1, agent, began=clock.iso(clock.now()))
        notes = {VALUES: values, IDENTITY: identity, POINT: place, ATTEMPT: asdict(attempt)}
        made = self._add(TrialState.RUNNING, values, notes)
        self._storage.record_heartbeat(made)
        return Taken(made, number, 1, values)

    def _add(self, state: TrialState, values: Values, notes: dict[str, Any]) -> int:
        params, distributions = as_drawn(self._space, values)
        made = create_trial(state=state, params=params, distributions=distributions, user_attrs=notes)
        return self._storage.create_new_trial(self._study._study_id, made)

    def identify(self, trial: FrozenTrial, identity: str) -> None:
        """Note the configuration that a trial leads to."""
        self._storage.set_trial_user_attr(trial._trial_id, IDENTITY, identity)

    def claim(self, trial: FrozenTrial, agent: str, *, lost: bool = False) -> Taken:
        """Give a trial that is there to an agent.

        A trial that is running without a beat is free, so that one may die between any two of these lines.

        Args:
            trial: one that waits, or whose agent has died.
            agent: who has it from now on.
            lost: its agent has died.
        """
        before = attempt_of(trial)
        attempt = Attempt(
            number=before.number + 1,
            agent=agent,
            lost=before.lost + lost,
            began=before.began or clock.iso(clock.now()),
        )
        self._storage.set_trial_user_attr(trial._trial_id, ATTEMPT, asdict(attempt))
        self._storage.record_heartbeat(trial._trial_id)
        if trial.state is TrialState.WAITING:
            self._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        return Taken(trial._trial_id, trial.number, attempt.number, values_of(trial), runs_of(trial))

    def note_run(self, trial: FrozenTrial, member: str, run: str) -> None:
        """Note the run of a member."""
        self._storage.set_trial_user_attr(trial._trial_id, RUNS, {**runs_of(trial), member: run})

    def release(self, trial: FrozenTrial) -> None:
        """Let it wait again, with all it has."""
        self._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)

    def end(self, trial: FrozenTrial, told: Told, reused: FrozenTrial | None = None) -> None:
        """Note what came of a trial; its state is the last that is written.

        Args:
            trial: one that has not ended.
            told: what came of it.
            reused: the trial whose value it has.
        """
        key = trial._trial_id
        if reused is not None:
            self._storage.set_trial_user_attr(key, REUSED, reused.number)
        self._storage.set_trial_user_attr(key, TOLD, told_note(told, clock.iso(clock.now())))
        value = told.value
        if told.state == "pruned" and trial.last_step is not None:
            value = trial.intermediate_values[trial.last_step]  # what Optuna's samplers expect
        self._storage.set_trial_state_values(key, _ENDS[told.state], None if value is None else [value])

    def has_ended(self, key: int, told: Told) -> bool:
        """Whether a trial ended so already: who asks again after a lost connection is to hear that it did."""
        trial = self._storage.get_trial(key)
        return trial.state is _ENDS[told.state] and told_of(trial) == told
