"""The next trial to begin: none that is known already, in its values or in the configuration they lead to."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from optuna.trial import FrozenTrial, TrialState

from ctexp.core.errors import CtexpError
from ctexp.sweeps.board.dimensions import same
from ctexp.sweeps.board.drawing import Drawer
from ctexp.sweeps.board.keeping import Keeping
from ctexp.sweeps.board.notes import Chosen, chosen_of, is_reused
from ctexp.sweeps.file.grid import cells, is_finite
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Told

_LEARNED, _AT_RANDOM = 5, 30
"""Draws in a row of what is known: of a sampler that learns, which may be sure of itself, then at random."""


@dataclass(frozen=True)
class New:
    """A trial that is worth beginning.

    Attributes:
        number: it will have.
    """

    number: int
    chosen: Chosen


class Candidates:
    """What there is to begin; asked by one agent at a time.

    Args:
        seed: of the sweep.
        identity: of the configuration that values lead to.
    """

    def __init__(self, spec: Spec, seed: int, identity: Callable[[Values], str], keeping: Keeping) -> None:
        self._spec = spec
        self._seed = seed
        self._identity = identity
        self._keeping = keeping
        self._drawer = Drawer(spec.space, spec.sampler, spec.goal, seed)

    def waiting(self, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        """The first that waits and is to be trained.

        One whose configuration was trained already ends here with that value, and one whose configuration is
        being trained goes on waiting.

        Args:
            trials: all there are.
        """
        for trial in trials:
            if trial.state is not TrialState.WAITING:
                continue
            twin = _twin(trials, chosen_of(trial).identity, trial.number)
            if twin is None:
                return trial
            if twin.state.is_finished():
                self._keeping.reuse(trial._trial_id, twin)
        return None

    def new(self, trials: Sequence[FrozenTrial]) -> New | str:
        """A new one; or why there is none.

        Args:
            trials: all there are.

        Raises:
            UsageError: the constraints leave hardly anything to draw.
        """
        left = math.inf
        if self._spec.run_cap is not None:
            left = self._spec.run_cap - _distinct(trials)
        had, number = {same(chosen_of(trial).values) for trial in trials}, len(trials)
        for values, place in self._possible(trials):
            if left <= 0:
                return "run_cap is reached"
            if same(values) in had:
                continue
            had.add(same(values))
            try:
                identity = self._identity(values)
            except CtexpError as error:
                made = self._keeping.add(Chosen(values, place=place))
                self._keeping.end(made, Told("failed", None, problem=str(error)))
                number, left = number + 1, left - 1
                continue
            chosen = Chosen(values, identity, place)
            twin = _twin(trials, identity)
            if twin is None:
                return New(number, chosen)
            if twin.state.is_finished():
                self._keeping.reuse(self._keeping.add(chosen), twin)
                number += 1
            elif self._spec.method == "grid":
                self._keeping.add(chosen)
                number, left = number + 1, left - 1
        return "the grid is done" if self._spec.method == "grid" else "nothing is left that was not tried"

    def ahead(self, trials: Sequence[FrozenTrial]) -> list[Values]:
        """The cells of a grid that nobody has begun, in the order in which they will be; W&B has its own."""
        if self._spec.method != "grid" or self._spec.backend == "wandb":
            return []
        left = self._cells[len(trials) :]
        return left if self._spec.run_cap is None else left[: max(0, self._spec.run_cap - _distinct(trials))]

    @cached_property
    def _cells(self) -> list[Values]:
        return cells(self._spec.space)

    def _possible(self, trials: Sequence[FrozenTrial]) -> Iterator[tuple[Values, int]]:
        """What might be tried next, and the place after it in the sequence of draws.

        A grid's trials have the numbers of its cells: each becomes a trial when its turn comes.
        """
        if self._spec.method == "grid":
            yield from ((values, 0) for values in self._cells[len(trials) :])
            return
        place = max((chosen_of(trial).place for trial in trials), default=0)
        for count in range(_LEARNED + _AT_RANDOM):
            values, place = self._drawer.draw(trials, place, learned=count < _LEARNED)
            yield values, place
        if is_finite(self._spec.space):
            left = list(self._cells)
            random.Random(f"{self._seed} {place}").shuffle(left)
            yield from ((values, place) for values in left)


def _distinct(trials: Sequence[FrozenTrial]) -> int:
    """How many were, are or will be trained."""
    return sum(not is_reused(trial) for trial in trials)


def _twin(trials: Sequence[FrozenTrial], identity: str, number: float = math.inf) -> FrozenTrial | None:
    """Another trial of the same configuration: trained, being trained, or waiting in front of this one."""
    if not identity:
        return None
    for other in trials:
        if other.number == number or chosen_of(other).identity != identity or is_reused(other):
            continue
        if other.state is TrialState.FAIL or (other.state is TrialState.WAITING and other.number > number):
            continue
        return other
    return None
