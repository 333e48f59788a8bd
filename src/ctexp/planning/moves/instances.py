"""A move made concrete: the words it adds to a recipe, and the configuration that comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctexp.config.compose import Composed, Composer
from ctexp.core.dotted import flattened
from ctexp.core.errors import UsageError
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.move import Move, Way
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.study.recipes import Recipe
from ctexp.record.subjects import SEED_KEYS

_DIGITS = 2
"""Significant ones of a scaled number: a learning rate of 3e-05, not of 2.9999e-05."""


@dataclass(frozen=True)
class Instance:
    """A move on a recipe.

    Attributes:
        id: of the move.
        variant: of it; None where it has none.
        words: overrides to add to those of the recipe.
        composed: the configuration of the recipe's words and these.
        changes: dotted key -> its value before and after, of every setting that is another one.
    """

    id: str
    variant: str | None
    move: Move = field(hash=False)
    words: tuple[str, ...]
    composed: Composed = field(hash=False)
    changes: Mapping[str, tuple[Any, Any]] = field(hash=False)

    @property
    def title(self) -> str:
        """`lower_lr`, or `learning_rate/third`."""
        return title(self.id, self.variant)

    @property
    def way(self) -> Way:
        """What the catalogue says it does."""
        return self.move.ways[self.variant]

    @property
    def ground(self) -> dict[str, Any]:
        """What it starts from: the settings it changes, as they were."""
        return {key: before for key, (before, _) in self.changes.items()}


def title(move: str, variant: str | None) -> str:
    """What a move, or a variant of one, is called."""
    return move if variant is None else f"{move}/{variant}"


def today(recipe: Recipe, composer: Composer) -> dict[str, Any]:
    """What a recipe's words give now, flat: not what they gave when it was trained, if a default was edited.

    Raises:
        UsageError: they no longer compose.
    """
    return flattened(composer.compose(recipe.composed_of()).resolved)


def imagined(name: str, words: Sequence[str], composer: Composer) -> Recipe:
    """A recipe that nobody has trained yet.

    Args:
        name: what to call it.
        words: its overrides, each key once.
        composer: of the project.

    Raises:
        UsageError: they do not compose.
    """
    return Recipe(name, tuple(words), flattened(composer.compose(words).resolved), ())


def instances(recipe: Recipe, catalogue: Catalogue, composer: Composer) -> dict[str, Instance | str]:
    """Every move of the catalogue on a recipe by its title, or why it makes nothing of it.

    Raises:
        UsageError: the recipe's own words no longer compose.
    """
    settings = today(recipe, composer)
    return {
        title(name, variant): instance(recipe, settings, name, move, variant, composer)
        for name, move in catalogue.moves.items()
        for variant in move.ways
    }


def instance(
    recipe: Recipe,
    settings: Mapping[str, Any],
    name: str,
    move: Move,
    variant: str | None,
    composer: Composer,
) -> Instance | str:
    """One move, in one of its ways, on a recipe; or why it makes nothing of it, a few words.

    Args:
        recipe: what it is made on.
        settings: what that is `today`, so that the changes are those of the move alone.
        name: the move's id.
        move: the move.
        variant: the way; None where it has but one.
        composer: of the project.
    """
    if why := _unmet(move, settings):
        return why
    added = _words(move.ways[variant], settings)
    if isinstance(added, str):
        return added
    try:
        composed = composer.compose(last_words(recipe.composed_of(*added)))
    except UsageError as error:
        return f"does not go with this recipe: {error.problems[0]}"
    changes = _changes(settings, flattened(composed.resolved))
    if not changes:
        return "the recipe has it already"
    return Instance(name, variant, move, added, composed, changes)


def _unmet(move: Move, settings: Mapping[str, Any]) -> str:
    """The first condition of a move that a recipe does not meet; empty where it meets all."""
    for key, wanted in move.only_if.items():
        options = wanted if isinstance(wanted, list) else [wanted]
        if settings.get(key) not in options:
            return f"only where {key} is {' or '.join(_shown(one) for one in options)}"
    return ""


def _words(way: Way, settings: Mapping[str, Any]) -> tuple[str, ...] | str:
    """The overrides of a way; or why there are none."""
    words = list(way.overrides)
    for key, factor in way.scale.items():
        value = settings.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{key} is {_shown(value)}, which cannot be scaled"
        scaled = float(f"{value * factor:.{_DIGITS}g}")
        words.append(f"{key}={round(scaled) if isinstance(value, int) else scaled}")
    return tuple(words)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs, but for what leaves an experiment the same."""
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if not key.startswith(SEED_KEYS) and before.get(key) != after.get(key)
    }


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
