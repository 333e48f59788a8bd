"""Trials as Optuna's storage keeps them: read, added, claimed, ended.

Whatever takes several transactions is in an order that makes sense wherever it is cut off.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from optuna import Study
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from ctexp.core import clock
from ctexp.sweeps.board.connection import whole
from ctexp.sweeps.board.dimensions import as_drawn
from ctexp.sweeps.board.notes import (
    ATTEMPT,
    CHOSEN,
    ENDS,
    REUSED,
    RUNS,
    SPENT,
    TOLD,
    Attempt,
    Chosen,
    attempt_of,
    check,
    chosen_of,
    runs_of,
    told_note,
    told_of,
)
from ctexp.sweeps.space import Space
from ctexp.sweeps.trials import Taken, Told


class Keeping:
    """The trials of one study."""

    def __init__(self, storage: RDBStorage, study: Study, space: Space) -> None:
        self._storage = storage
        self._study = study
        self._name = study.study_name
        self._space = space

    def trials(self) -> list[FrozenTrial]:
        """All, by number; ended ones are read once. They are shared: nobody changes them.

        Raises:
            DataError: one is not what can have been noted of it.
        """
        with whole(f"the trials of {self._name}"):
            found = self._study.get_trials(deepcopy=False)
            for trial in found:
                check(trial)
        return found

    def add(self, chosen: Chosen) -> int:
        """Make a trial that waits; the storage's name for it."""
        return self._add(TrialState.WAITING, chosen, {})

    def begin(self, agent: str, number: int, chosen: Chosen) -> Taken:
        """Make a trial and give it to an agent.

        Args:
            agent: who has it.
            number: how many trials there are.
            chosen: what it is.
        """
        attempt = Attempt(1, agent, began=clock.iso(clock.now()))
        made = self._add(TrialState.RUNNING, chosen, {ATTEMPT: asdict(attempt)})
        self._storage.record_heartbeat(made)
        return Taken(made, number, 1, chosen.values)

    def _add(self, state: TrialState, chosen: Chosen, notes: dict[str, Any]) -> int:
        params, distributions = as_drawn(self._space, chosen.values)
        notes = {CHOSEN: asdict(chosen), **notes}
        made = create_trial(state=state, params=params, distributions=distributions, user_attrs=notes)
        return self._storage.create_new_trial(self._study._study_id, made)

    def claim(self, trial: FrozenTrial, agent: str, *, lost: bool = False) -> Taken:
        """Give a trial that is there to an agent.

        A trial that is running without a beat is free, so that one may die between any two of these lines.

        Args:
            trial: one that waits, or whose agent has died.
            agent: who has it from now on.
            lost: its agent has died.
        """
        before, key = attempt_of(trial.user_attrs), trial._trial_id
        attempt = Attempt(
            number=before.number + 1,
            agent=agent,
            lost=before.lost + lost,
            began=before.began or clock.iso(clock.now()),
        )
        self._storage.set_trial_user_attr(key, ATTEMPT, asdict(attempt))
        self._storage.record_heartbeat(key)
        if trial.state is TrialState.WAITING:
            self._storage.set_trial_state_values(key, TrialState.RUNNING)
        notes = trial.user_attrs
        values, spent = chosen_of(trial).values, notes.get(SPENT, 0.0)
        return Taken(key, trial.number, attempt.number, values, runs_of(notes), spent)

    def note_runs(self, key: int, runs: Mapping[str, str]) -> None:
        """Note the runs of a trial, by the label of the member."""
        self._storage.set_trial_user_attr(key, RUNS, dict(runs))

    def release(self, key: int, seconds: float) -> None:
        """Let a trial wait again, with all it has; `seconds` is what it took so far."""
        self._storage.set_trial_user_attr(key, SPENT, seconds)
        self._storage.set_trial_state_values(key, TrialState.WAITING)

    def end(self, key: int, told: Told) -> None:
        """Note what came of a trial; its state is the last that is written."""
        self._storage.set_trial_user_attr(key, TOLD, told_note(told, clock.iso(clock.now())))
        value = told.value
        if told.state == "pruned":  # its last value is what Optuna's samplers expect
            curve = self._storage.get_trial(key).intermediate_values
            value = curve[max(curve)] if curve else None
        self._storage.set_trial_state_values(key, ENDS[told.state], None if value is None else [value])

    def reuse(self, key: int, twin: FrozenTrial) -> None:
        """End a trial with what came of an identical one."""
        self._storage.set_trial_user_attr(key, REUSED, twin.number)
        self.end(key, told_of(twin))

    def has_ended(self, key: int, told: Told) -> bool:
        """Whether a trial ended so already: who asks again after a lost connection is to hear that it did."""
        trial = self._storage.get_trial(key)
        return trial.state is ENDS[told.state] and told_of(trial) == told
