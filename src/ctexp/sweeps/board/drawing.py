"""Drawing a trial's values: in memory, from what is known of the trials so far; the same from the same.

Each draw has a place in one sequence, of which every place is used once: seeded by it, agents side by side
draw differently, and one agent alone draws the same again. A draw that breaks a constraint, or that was had
before, uses up its place.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from ctexp.core.errors import UsageError
from ctexp.sweeps.board.dimensions import distribution_of, name_of, value_of
from ctexp.sweeps.file.sampled import at_quantile
from ctexp.sweeps.space import Space, Values

LEARNED, FEASIBLE = 10, 2_000
"""Draws of a sampler that learns, then at random, before constraints are said to leave hardly anything."""

_STARTUP = 5
"""Trials that TPE draws at random before it learns: of the tens that a night has, Optuna's ten are many."""


class Drawer:
    """Draws from a space.

    Args:
        goal: `maximize` or `minimize`.
        seed: of the sweep.
    """

    def __init__(
        self,
        space: Space,
        sampler: Literal["tpe", "gp", "random", "qmc"],
        goal: Literal["maximize", "minimize"],
        seed: int,
    ) -> None:
        self._space = space
        self._sampler = sampler
        self._goal = goal
        self._seed = seed

    def draw(self, past: Sequence[FrozenTrial], place: int, *, learned: bool) -> tuple[Values, int]:
        """Values that keep the constraints, and the place after theirs.

        Args:
            past: all trials so far, in order of their numbers.
            place: the first that is free.
            learned: by a sampler that learns, where it is one; else at random.

        Raises:
            UsageError: hardly any values keep the constraints.
        """
        study = self._study(past) if learned and self._sampler in ("tpe", "gp") else None
        for tried in range(LEARNED + FEASIBLE):
            if study is not None and tried < LEARNED:
                values = self._learned(study, place + tried)
            elif self._sampler == "qmc":
                values = self._at(self._evenly(place + tried))
            else:
                generator = self._generator(place + tried)
                values = self._at(generator.random(len(self._space.parameters)).tolist())
            if all(constraint.holds(values) for constraint in self._space.constraints):
                return values, place + tried + 1
        texts = "; ".join(constraint.text for constraint in self._space.constraints)
        raise UsageError(
            f"{LEARNED + FEASIBLE:,} draws in a row break a constraint ({texts})",
            "write ranges that the constraints leave more of",
        )

    def _generator(self, place: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, place])

    def _evenly(self, place: int) -> list[float]:
        """A point of a scrambled Sobol sequence (Sobol 1967; Owen 1998), which fills the space evenly."""
        engine = self._sobol()
        if place:
            engine.fast_forward(place)
        point: list[float] = engine.random(1)[0].tolist()
        return point

    def _sobol(self) -> Any:
        from scipy.stats import qmc

        return qmc.Sobol(d=len(self._space.parameters), scramble=True, rng=np.random.default_rng(self._seed))

    def _at(self, quantiles: Sequence[float]) -> Values:
        """The values at a point of the unit cube, which has a side also for what does not apply."""
        values: Values = {}
        for parameter, quantile in zip(self._space.parameters, quantiles, strict=True):
            if parameter.when is None or parameter.when.holds(values):
                values[parameter.key] = at_quantile(parameter.dimension, float(quantile))
        return values

    def _study(self, past: Sequence[FrozenTrial]) -> optuna.Study:
        """A study in memory of what samplers learn from: ended trials' values, and where others are at work.

        Of a pruned trial they read the last value of the curve, of a finished one its value alone.
        """
        study = optuna.create_study(storage=optuna.storages.InMemoryStorage(), direction=self._goal)
        study.add_trials(_lightly(trial) for trial in past if trial.state in _TEACHING)
        return study

    def _learned(self, study: optuna.Study, place: int) -> Values:
        study.sampler = self._optuna(int(self._generator(place).integers(2**31)))
        trial = study.ask()
        values: Values = {}
        for parameter in self._space.parameters:
            if parameter.when is not None and not parameter.when.holds(values):
                continue
            drawn = trial._suggest(name_of(parameter), distribution_of(parameter.dimension))
            values[parameter.key] = value_of(parameter.dimension, drawn)
        study.tell(trial, state=TrialState.FAIL)
        return values

    def _optuna(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if self._sampler == "gp":
                return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
            return optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)


_TEACHING = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


def _lightly(trial: FrozenTrial) -> FrozenTrial:
    """A trial without what samplers do not read."""
    last = trial.last_step
    return optuna.trial.create_trial(
        state=trial.state,
        params=trial.params,
        distributions=trial.distributions,
        value=trial.value if trial.state is TrialState.COMPLETE else None,
        intermediate_values={last: trial.intermediate_values[last]}
        if trial.state is TrialState.PRUNED and last is not None
        else {},
    )
