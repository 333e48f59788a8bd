"""Single moves are found in what was trained, by settings alone."""

import sys
import time
from itertools import product

import pytest

from ctexp.config.compose import Composer
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.history import Tried, tried
from ctexp.planning.moves.instances import Instance, instances
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.recipes import Recipe
from tests.planning.moves.pairs import difference, recipe

BASE = ["model=tiny_cnn", "optimizer.lr=3e-3", "model.dropout=0.2"]


def compare(before: Recipe, after: Recipe) -> Difference:
    return difference(0.01, 0.02, before=before.title, after=after.title)


def found(recipes: list[Recipe], shipped: Catalogue, composer: Composer) -> set[tuple[str, str, str]]:
    every = tried(recipes, recipes[0], shipped, composer, compare)
    return {(one.title, one.before, one.after) for one in every}


def test_runs_made_by_hand_are_told_as_the_moves_they_are(shipped: Catalogue, composer: Composer) -> None:
    base = recipe("base", BASE, composer)
    by_hand = recipe("by-hand", [*BASE, "optimizer.lr=9e-4"], composer)
    ema = recipe("ema", [*BASE, "averaging.decay=0.99", "averaging=ema"], composer)
    assert found([base, by_hand, ema], shipped, composer) == {
        ("lower_lr", "base", "by-hand"),
        ("learning_rate/fifth", "base", "by-hand"),
        ("higher_lr", "by-hand", "base"),
        ("ema", "base", "ema"),
    }


def test_a_move_counts_from_any_recipe_and_in_either_direction(
    shipped: Catalogue, composer: Composer
) -> None:
    base = recipe("base", BASE, composer)
    ema = recipe("ema", [*BASE, "averaging=ema"], composer)
    wide = recipe("wide", [*BASE, "model.dropout=0.4"], composer)
    both = recipe("both", [*BASE, "averaging=ema", "model.dropout=0.4"], composer)
    every = tried([base, ema, wide, both], base, shipped, composer, compare)
    pairs = {(one.title, one.before, one.after): one for one in every}
    assert set(pairs) == {
        ("ema", "base", "ema"),
        ("ema", "wide", "both"),
        ("dropout", "base", "wide"),
        ("dropout", "ema", "both"),
    }
    assert pairs["ema", "base", "ema"].here
    assert not pairs["ema", "wide", "both"].here


def test_two_changes_at_once_are_no_move(shipped: Catalogue, composer: Composer) -> None:
    base = recipe("base", BASE, composer)
    two = recipe("two", [*BASE, "averaging=ema", "optimizer.lr=9e-4"], composer)
    assert found([base, two], shipped, composer) == set()


def test_a_move_from_another_value_is_not_about_the_incumbent(shipped: Catalogue, composer: Composer) -> None:
    base = recipe("base", BASE, composer)
    fast = recipe("fast", [*BASE, "optimizer.lr=0.02"], composer)
    slower = recipe("slower", [*BASE, "optimizer.lr=0.006"], composer)
    [one] = [
        past
        for past in tried([base, fast, slower], base, shipped, composer, compare)
        if past.id == "lower_lr"
    ]
    here = instances(base, shipped, composer)["lower_lr"]
    assert one.before == "fast"
    assert isinstance(here, Instance)
    assert not one.is_about(here)


def test_a_number_chosen_by_hand_counts_where_it_is_near(shipped: Catalogue, composer: Composer) -> None:
    base = recipe("base", BASE, composer)
    others = [recipe(f"lr-{lr}", [*BASE, f"optimizer.lr={lr}"], composer) for lr in (1e-3, 2.4e-3, 6e-4)]
    every = tried([base, *others], base, shipped, composer, compare)
    exact = {(one.title, one.after): one.exact for one in every if one.here}
    assert exact == {
        ("lower_lr", "lr-0.001"): False,
        ("learning_rate/fifth", "lr-0.0006"): True,
    }


def test_lost_runs_say_so_and_a_failed_night_does_not(shipped: Catalogue, composer: Composer) -> None:
    base = recipe("base", BASE, composer)
    plain = recipe("fast", [*BASE, "optimizer.lr=0.009"], composer, runs=0)

    class Ended:
        def __init__(self, state: str) -> None:
            self.state, self.id = state, f"run-{state}"

    ends = tuple(Ended(state) for state in ("diverged", "interrupted"))
    lost = Recipe(plain.title, plain.words, plain.settings, (), ends)  # type: ignore[arg-type]
    [one] = [past for past in tried([base, lost], base, shipped, composer, compare) if past.id == "higher_lr"]
    assert (one.gain, one.lost) == (None, ("diverged",))
    assert "run-diverged" in one.cites
    assert "run-interrupted" not in one.cites


@pytest.mark.skipif(sys.gettrace() is not None, reason="being traced costs more than what is measured")
def test_forty_recipes_are_matched_quickly(shipped: Catalogue, composer: Composer) -> None:
    choices = product(
        ["optimizer.lr=0.003", "optimizer.lr=0.009"],
        ["averaging=none", "averaging=ema"],
        ["augment=standard", "augment=strong"],
        ["model.dropout=0.2", "model.dropout=0.4"],
        ["data.resize=pad", "data.resize=stretch", "data.resize=pad"],
    )
    recipes = [recipe(f"r{n}", [*BASE, *words], composer) for n, words in enumerate(choices)][:40]
    for one in recipes:
        composer.compose(one.words)
    begin = time.process_time()
    every: tuple[Tried, ...] = tried(recipes, recipes[0], shipped, composer, compare)
    assert len(every) >= 40 * 3
    assert time.process_time() - begin < 3
