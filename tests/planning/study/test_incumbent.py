"""The best of many recipes, less the luck that made it so."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ctexp.planning.study import incumbent
from ctexp.planning.study.incumbent import shrunken
from tests.planning.study.projects import a_run, in_order, project, read


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, in which each run is begun a minute after the one before."""
    with in_order():
        yield project(tmp_path)


def test_a_mean_of_few_seeds_is_drawn_further() -> None:
    few, many, low = shrunken([0.80, 0.79, 0.60], [0.02**2, 0.02**2 / 5, 0.02**2 / 5])
    assert 0.80 - few > 0.79 - many > 0
    assert low > 0.60


def test_two_means_are_drawn_by_the_stated_formula() -> None:
    # Weights 10,000 each: centre 0.7, spread 200, so tau^2 = (200 - 1) / (20,000 - 10,000).
    tau2 = 199 / 10_000
    share = tau2 / (tau2 + 1e-4)
    assert shrunken([0.8, 0.6], [1e-4, 1e-4]) == pytest.approx([0.7 + 0.1 * share, 0.7 - 0.1 * share])


def test_means_no_further_apart_than_their_errors_are_all_one() -> None:
    drawn = shrunken([0.71, 0.70, 0.69], [0.02**2, 0.02**2, 0.02**2])
    assert drawn == pytest.approx([0.70] * 3)


def test_without_an_error_nothing_is_drawn() -> None:
    assert shrunken([0.8, 0.6], [0.0, 0.0]) == [0.8, 0.6]
    assert shrunken([0.8], [0.01]) == [0.8]
    assert shrunken([], []) == []


def test_what_is_drawn_is_nearer_the_truth() -> None:
    rng = np.random.default_rng(3)
    seeds = np.array([1, 1, 1, 1, 1, 1, 5, 5])
    errors = {"raw": 0.0, "drawn": 0.0}
    for _ in range(400):
        truth = rng.normal(0.8, 0.01, len(seeds))
        means = truth + rng.normal(0, 0.02, len(seeds)) / np.sqrt(seeds)
        drawn = shrunken(means.tolist(), (0.02**2 / seeds).tolist())
        for name, values in (("raw", means), ("drawn", np.array(drawn))):
            errors[name] += float(((values - truth) ** 2).sum())
    assert errors["drawn"] < 0.7 * errors["raw"]


def test_the_incumbent_is_no_lucky_single_seed(root: Path) -> None:
    for seed in (1, 2, 3):
        a_run(root, "known", seed, skill=2.1)
        a_run(root, "poor", seed, "optimizer.lr=3e-4", skill=1.5)
    a_run(root, "lucky", 3, "optimizer.lr=5e-4", skill=2.1)
    found = read(root)
    means = {one.title: found.mean(one, found.primary) or 0.0 for one in found.recipes}
    assert means["lucky"] > means["known"]
    assert found.incumbent is found.recipe("known")
    assert found.why_incumbent.startswith("best val/macro_f1 of 3 recipes")


def test_where_nothing_tells_recipes_apart_the_best_known_stands(root: Path) -> None:
    for seed in (1, 2, 3):
        a_run(root, "known", seed)
    a_run(root, "other", 3, "optimizer.lr=3e-4", skill=0.93)
    found = read(root)
    assert found.incumbent is found.recipe("known")
    assert found.why_incumbent == (
        "nothing tells the 2 recipes apart in val/macro_f1 beyond their seeds; "
        "this one has the most behind it, 0.586 (3 seeds)"
    )


def test_single_seeds_establish_no_best(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "good", 1, "optimizer.lr=3e-4", skill=3)
    found = read(root)
    assert found.incumbent is found.recipe("good")
    assert found.why_incumbent.endswith("each with one seed: which is best is not established")


def test_less_is_better_where_the_metric_says_so(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "good", 1, "optimizer.lr=3e-4", skill=3)
    ranked = incumbent.shrunk(read(root), "val/loss")
    assert [one.recipe.title for one in ranked] == ["good", "base"]
