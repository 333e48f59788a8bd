"""Recipes and comparisons that a test makes up."""

from typing import Any

from ctexp.config.compose import Composer
from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.instances import imagined
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.recipes import Recipe, Trained


def recipe(name: str, words: list[str], composer: Composer, runs: int = 1) -> Recipe:
    """A recipe with so many judged runs, of which nobody reads more than their number; later words win."""
    plain = imagined(name, last_words(words), composer)
    trained = tuple(Trained(seed, _Run(f"{name}-{seed}"), None) for seed in range(runs))  # type: ignore[arg-type]
    return Recipe(plain.title, plain.words, plain.settings, trained)


class _Run:
    def __init__(self, name: str) -> None:
        self.id = name


def difference(gain: float | None, se: float | None, **changes: Any) -> Difference:
    values: dict[str, Any] = {
        "metric": "val/macro_f1",
        "before": "a",
        "after": "b",
        "difference": gain,
        "se": se,
        "image_se": se,
        "seed_se": 0.0,
        "seed_source": "measured",
        "low": None,
        "high": None,
        "p": 1.0,
        "cites": ("run-a", "run-b"),
    }
    return Difference(**values | changes)


def seen(
    gain: float | None, se: float | None, *, before: str = "a", here: bool = True, **changes: Any
) -> Tried:
    """A comparison of a move that changes `x` from 1."""
    values: dict[str, Any] = {
        "id": "move",
        "variant": None,
        "before": before,
        "after": "b",
        "ground": {"x": 1},
        "here": here,
        "difference": difference(gain, se),
        "cites": (f"run-{before}", "run-b"),
    }
    return Tried(**values | changes)
