"""Which parameters the objective depends on, as far as the trials can tell.

Shares are those of functional ANOVA on a random forest (Hutter, Hoos & Leyton-Brown 2014), as Optuna has it:
of the variance of the objective over the whole space, so much goes with this parameter alone. They add up to
one, of pure noise as well. So it is asked first how much the parameters foretell of trials that a forest has
not seen; unless all forests agree that it is a real part, there are no shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ctexp.core.wording import many
from ctexp.sweeps.reading.opened import Opened, number
from ctexp.sweeps.space import Bell, Choice, Dimension, Parameter, Value
from ctexp.sweeps.trials import Row

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST = 12
"""Finished trials below which no forest says anything."""

FORESTS = 8
"""From how many the range of a share comes."""

FLOOR = 0.25
"""Of the variance of unseen trials: the least that every forest foretells where shares are told."""

_A_PARAMETER = 4  # trials at least for each parameter
_TREES = 16
_LEFT_OUT = 0.2  # of the trials, of each forest that foretells: its answer is not to hang on a few of them


@dataclass(frozen=True)
class Share:
    """How much one parameter matters alone.

    Attributes:
        value: of the variance, 0 to 1: the median over forests.
        low: the lowest of the forests, each of trials drawn anew.
        high: the highest.
    """

    key: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Explained:
    """How much of the objective's variance is foretold of trials not seen (R squared, out of bag).

    Attributes:
        value: the median over forests; below 0 where the mean of all trials foretells them better.
        low: of the forest that foretells least, each grown without a fifth of the trials.
        high: of that which foretells most.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """What the trials tell of all parameters.

    Attributes:
        shares: the largest first; empty where none can be told.
        explained: how much they foretell; None where too few trials have finished.
        left_out: a line for each parameter without a share.
        why: why there are no shares, without a full stop; empty where there are.
    """

    shares: tuple[Share, ...]
    explained: Explained | None
    left_out: tuple[str, ...]
    why: str


def importance(opened: Opened) -> Importance:
    """Weigh the parameters against each other; equal trials give equal answers."""
    rows = opened.ranked
    varied = [one for one in opened.spec.space.parameters if _varies(rows, one.key)]
    told = [one for one in varied if all(one.key in row.values for row in rows)]
    left_out = tuple(
        f"{one.key}: applies to {sum(one.key in row.values for row in rows)} of {len(rows)} trials"
        for one in varied
        if one not in told
    )
    floor = max(FEWEST, _A_PARAMETER * len(told))
    if len(rows) < floor:
        few = f"{len(rows)} finished trials, and {floor} are the fewest for {many(len(told), 'parameter')}"
        return Importance((), None, left_out, few)
    if not told:
        return Importance((), None, left_out, "no parameter was tried with several values in all trials")
    if len({row.value for row in rows}) == 1:
        return Importance((), None, left_out, "all trials have the same value")
    explained = _explained(rows, told)
    if explained.low < FLOOR:
        found = f"R² {explained.value:.2f} ({explained.low:.2f} to {explained.high:.2f} over forests)"
        why = (
            "the parameters foretell nothing that can be relied on of trials not seen, and the differences "
            f"may be noise: {found}; shares are told where all forests reach {FLOOR}"
        )
        return Importance((), explained, left_out, why)
    return Importance(_shares(rows, told), explained, left_out, "")


def _varies(rows: Sequence[Row], key: str) -> bool:
    return len({repr(row.values[key]) for row in rows if key in row.values}) > 1


def _explained(rows: Sequence[Row], told: Sequence[Parameter]) -> Explained:
    """By forests on four fifths of the trials, drawn anew for each; choices have a column for each value."""
    from sklearn.ensemble import RandomForestRegressor

    columns = [column for one in told for column in _columns(rows, one)]
    inputs, values = np.array(columns).T, np.array([row.value for row in rows])
    found = []
    for seed in range(FORESTS):
        kept = np.random.default_rng(seed).permutation(len(rows))[round(_LEFT_OUT * len(rows)) :]
        forest = RandomForestRegressor(n_estimators=100, oob_score=True, random_state=seed)
        found.append(float(forest.fit(inputs[kept], values[kept]).oob_score_))
    return Explained(median(found), min(found), max(found))


def _columns(rows: Sequence[Row], one: Parameter) -> list[list[float]]:
    values = [row.values[one.key] for row in rows]
    if isinstance(one.dimension, Choice) and not all(isinstance(value, int | float) for value in values):
        return [[float(value == level) for value in values] for level in one.dimension.values]
    return [[number(value) for value in values]]


def _shares(rows: Sequence[Row], told: Sequence[Parameter]) -> tuple[Share, ...]:
    """The shares by forests that differ in their seed and in which trials they grew on."""
    from optuna.distributions import BaseDistribution
    from optuna.trial import create_trial

    spans: dict[str, BaseDistribution] = {one.key: _span(rows, one) for one in told}
    trials = [
        create_trial(
            params={one.key: _coded(one.dimension, row.values[one.key]) for one in told},
            distributions=spans,
            value=row.value,
        )
        for row in rows
    ]
    found: dict[str, list[float]] = {one.key: [] for one in told}
    for seed in range(FORESTS):
        drawn = np.random.default_rng(seed).integers(len(trials), size=len(trials))
        for key, share in _of_a_forest([trials[index] for index in drawn], seed).items():
            found[key].append(float(share))
    shares = [Share(key, median(its), min(its), max(its)) for key, its in found.items()]
    return tuple(sorted(shares, key=lambda share: -share.value))


def _of_a_forest(trials: Sequence[Any], seed: int) -> dict[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        study.add_trials(trials)
        return get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=_TREES, seed=seed))
    finally:
        optuna.logging.set_verbosity(before)


def _span(rows: Sequence[Row], one: Parameter) -> "BaseDistribution":
    """The space of a parameter in Optuna's words; choices by their place: a list is none of its values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    its = one.dimension
    if isinstance(its, Choice):
        return CategoricalDistribution(range(len(its.values)))
    if isinstance(its, Bell):
        seen = [number(row.values[one.key]) for row in rows]
        return FloatDistribution(min(seen), max(seen), log=its.log)
    return FloatDistribution(its.low, its.high, log=its.log)


def _coded(dimension: Dimension, value: Value) -> int | float:
    return dimension.values.index(value) if isinstance(dimension, Choice) else number(value)
