"""Ray Tune as this sweep needs it: who proposes trials, who prunes them, and who is told."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from ray.tune import Callback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import Searcher

from ctexp.sweeps.file.spec import Early
from ctexp.sweeps.ray_tune.crew import Crew
from ctexp.sweeps.ray_tune.words import EPOCH, ORDER, TRIAL, VALUE

_NO_LAST_EPOCH = 10**6
"""More than any training has: Tune makes rungs up to it, and those that nobody reaches change nothing."""


class BoardSearch(Searcher):
    """Tune's search algorithm: it asks the board.

    Args:
        crew: that has the board.
        order: JSON, what every actor is told beside its trial.
    """

    def __init__(self, crew: Crew, order: str) -> None:
        super().__init__()
        self._crew = crew
        self._order = order

    def suggest(self, trial_id: str) -> Any:
        """The next trial; None for none now, `FINISHED` for none any more."""
        if (taken := self._crew.take(trial_id)) is not None:
            # As text: into what Tune sees of a configuration it looks for searches of its own.
            return {ORDER: self._order, TRIAL: json.dumps(asdict(taken))}
        return Searcher.FINISHED if self._crew.over else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """A trial has ended, was left behind, or failed with its node."""
        del result  # `Watch` has had it, as it was told
        self._crew.end(trial_id, lost=error)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the board remembers."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the board remembers."""


class Watch(Callback):
    """Results on their way, and Tune's clock."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def on_trial_result(self, *, trial: Any, result: dict[str, Any], **_: Any) -> None:  # type: ignore[override]
        """A training told something."""
        self._crew.hear(trial.trial_id, result)

    def on_step_end(self, **_: Any) -> None:  # type: ignore[override]
        """Several times a second."""
        self._crew.tend()


def scheduler(early: Early | None, goal: str, seed: int) -> ASHAScheduler | None:
    """Tune's asynchronous successive halving, over epochs; None where no trial is to be left behind.

    With several brackets it is what Tune calls asynchronous Hyperband.
    """
    if early is None:
        return None
    np.random.seed(seed)  # by which Tune gives each trial its bracket
    return ASHAScheduler(
        time_attr=EPOCH,
        metric=VALUE,
        mode="max" if goal == "maximize" else "min",
        grace_period=early.min_epochs,
        reduction_factor=early.factor,
        brackets=early.brackets,
        max_t=early.max_epochs or _NO_LAST_EPOCH,
        stop_last_trials=False,  # a training ends by itself
    )
