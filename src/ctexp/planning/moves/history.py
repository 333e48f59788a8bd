"""Which moves have been tried here: pairs of recipes of which one is the other with a move made.

Nobody keeps a book of it: a pair is told by its settings alone, so runs made by hand count like those of a
plan. Nor does it have to be the very number: a learning rate of 1e-3 after 3e-3 tells of a move to 9e-4. What
is learned of a move is learned of going from one value to another, so a pair says something of a move on the
incumbent only where it begins with the same values of whatever the move changes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

from ctexp.config.compose import Composer
from ctexp.core.errors import UsageError
from ctexp.core.metric_names import higher_is_better
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.instances import Instance, instance, title, today
from ctexp.planning.moves.move import Way
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.recipes import Recipe
from ctexp.record.subjects import SEED_KEYS

_LOST_BY_THE_MOVE = ("diverged", "oom")
"""Ends that say something of a recipe; any other failure says more of the night."""

NEAR = 0.3
"""A number that somebody chose by hand may miss that of a move by so much of the move's own step; of the
logarithm's step where all of them are above 0."""

Compare = Callable[[Recipe, Recipe], Difference]
"""What the difference of two recipes is, on the metric that is looked at."""


@dataclass(frozen=True)
class Tried:
    """A move that was made from one recipe to another.

    Attributes:
        id: of the move; `variant` of it.
        before: title of the recipe it was made from; `after` of what came of it.
        ground: the settings it changes, as they were.
        here: whether `before` is the incumbent.
        exact: whether it is this very move; else its numbers are only near.
        difference: of the two; None where `after` was never judged.
        seeds: how many were judged of `before` and of `after`.
        lost: how the runs of `after` ended that say it cannot be trained like this: `diverged`, `oom`.
        cites: the runs of both.
    """

    id: str
    variant: str | None
    before: str
    after: str
    ground: Mapping[str, Any] = field(hash=False)
    here: bool
    difference: Difference | None
    exact: bool = True
    seeds: tuple[int, int] = (1, 1)
    lost: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`lower_lr`, or `learning_rate/third`."""
        return title(self.id, self.variant)

    @property
    def gain(self) -> float | None:
        """The difference, positive for better whichever way the metric goes."""
        if self.difference is None or self.difference.difference is None:
            return None
        return self.difference.difference * (1 if higher_is_better(self.difference.metric) else -1)

    def is_about(self, one: Instance) -> bool:
        """Whether it began with the same values of what an instance changes."""
        return (self.id, self.variant, dict(self.ground)) == (one.id, one.variant, one.ground)


def tried(
    recipes: Sequence[Recipe],
    incumbent: Recipe | None,
    catalogue: Catalogue,
    composer: Composer,
    compare: Compare,
) -> tuple[Tried, ...]:
    """Every move that was made between any two recipes, but for those whose words no longer compose.

    Args:
        recipes: of one study.
        incumbent: one of them; None for none.
        catalogue: the moves.
        composer: of the project.
        compare: what tells two judged recipes apart.
    """
    found = []
    for before in recipes:
        settings: dict[str, Any] | None = None
        for after, name, variant in _candidates(before, recipes, catalogue):
            try:
                settings = settings or today(before, composer)
            except UsageError:  # words of an older configuration
                break
            made = instance(before, settings, name, catalogue.moves[name], variant, composer)
            if not isinstance(made, Instance):
                continue
            exact = _leads_to(made, before, after)
            if exact is not None:
                found.append(_tried(made, before, after, exact, before is incumbent, compare))
    return tuple(found)


def _candidates(
    before: Recipe, recipes: Sequence[Recipe], catalogue: Catalogue
) -> Iterator[tuple[Recipe, str, str | None]]:
    """Pairs whose settings differ where a move touches them and nowhere else: composing tells the rest.

    To compose every move on every recipe would take minutes.
    """
    for after in recipes:
        if after is before or bool(after.cross_validations) != bool(before.cross_validations):
            continue
        differing = _differing(before.settings, after.settings)
        for name, move in catalogue.moves.items():
            for variant, way in move.ways.items():
                if differing and all(_touches(way, key) for key in differing):
                    yield after, name, variant


def _touches(way: Way, key: str) -> bool:
    return any(key == touched or key.startswith(f"{touched}.") for touched in way.keys)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    keys = one.keys() | other.keys()
    return {key for key in keys if one.get(key) != other.get(key) and not key.startswith(SEED_KEYS)}


def _leads_to(made: Instance, before: Recipe, after: Recipe) -> bool | None:
    """Whether the recipe with a move's changes is the other one, or only near it; None where it is not."""
    if any(before.settings.get(key) != value for key, value in made.ground.items()):
        return None
    changed = dict(before.settings) | {key: value for key, (_, value) in made.changes.items()}
    missed = _differing(changed, after.settings)
    named = [key for key in made.way.keys if key in made.changes]
    if all(key in named and _is_near(*made.changes[key], after.settings.get(key)) for key in missed):
        return not missed
    return None


def _is_near(before: Any, meant: Any, found: Any) -> bool:
    """Whether a number is about what a move would have made of it: see `NEAR`."""
    values = (before, meant, found)
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return False
    start, end, there = (log(value) if min(values) > 0 else value for value in values)
    return bool(abs(there - end) <= NEAR * abs(end - start))


def _tried(made: Instance, before: Recipe, after: Recipe, exact: bool, here: bool, compare: Compare) -> Tried:
    lost = tuple(run.state for run in after.lost if run.state in _LOST_BY_THE_MOVE)
    judged = bool(before.runs and after.runs)
    return Tried(
        id=made.id,
        variant=made.variant,
        before=before.title,
        after=after.title,
        ground=made.ground,
        here=here,
        exact=exact,
        difference=compare(before, after) if judged else None,
        seeds=(len(before.seeds), len(after.seeds)),
        lost=lost,
        cites=(
            *before.cites,
            *after.cites,
            *(run.id for run in after.lost if run.state in _LOST_BY_THE_MOVE),
        ),
    )
