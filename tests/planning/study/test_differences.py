"""Differences of recipes are those that a comparison of their runs tells."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ctexp.evaluation import comparison
from ctexp.evaluation.predictions import Predictions
from tests import judged
from tests.planning.study.projects import a_run, in_order, project, read


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, in which each run is begun a minute after the one before."""
    with in_order():
        yield project(tmp_path)


def test_a_difference_is_that_of_the_paired_comparison(root: Path) -> None:
    for seed in (1, 2):
        a_run(root, "base", seed)
        a_run(root, "good", seed, "optimizer.lr=3e-4", skill=2)
    found = read(root)
    base, good = found.recipe("base"), found.recipe("good")
    told = found.difference(base, good, "val/macro_f1")
    tables = [[judged.predictions(skill=skill, seed=seed) for seed in (1, 2)] for skill in (1.0, 2.0)]
    [its] = comparison.pair(tables[0], tables[1], ("macro_f1",)).effects.values()
    assert (told.difference, told.low, told.high, told.p) == (its.difference, its.low, its.high, its.p)
    assert its.image_se is not None
    assert its.seed_se is not None
    assert told.se == pytest.approx((its.image_se**2 + its.seed_se**2) ** 0.5)
    assert (told.before, told.after, told.seed_source) == ("base", "good", "measured")
    assert told.cites == base.cites + good.cites
    back = found.difference(good, base, "val/macro_f1")
    assert back.difference == pytest.approx(-(told.difference or 0.0))


def test_what_was_worked_out_once_is_kept(root: Path) -> None:
    runs = [a_run(root, "base", 1), a_run(root, "good", 1, "optimizer.lr=3e-4", skill=2)]
    found = read(root)
    base, good = found.recipes
    first = found.difference(base, good, "val/brier")
    for run in runs:
        run.predictions("val").unlink()
    assert found.difference(base, good, "val/brier") is first
    assert found.difference(base, good, "val/auroc").difference is not None, "the answers were read already"


def test_single_seeds_are_taken_to_add_as_much_as_images(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "good", 1, "optimizer.lr=3e-4", skill=2)
    found = read(root)
    told = found.difference(found.recipe("base"), found.recipe("good"), found.primary)
    assert (told.seed_source, told.seed_se) == ("assumed", told.image_se)


def test_without_predictions_there_is_no_number_and_a_reason(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "bare", 1, "optimizer.lr=3e-4").predictions("val").unlink()
    found = read(root)
    base, bare = found.recipe("base"), found.recipe("bare")
    told = found.difference(base, bare, found.primary)
    assert (told.difference, told.se, told.p) == (None, None, 1.0)
    assert told.reason == "bare: none of its runs has predictions of its validation images"
    assert found.values(bare, "val/macro_f1"), "what was printed still stands"


def test_an_image_that_changed_in_between_is_no_ground_for_a_number(root: Path) -> None:
    table = judged.predictions()
    other = Predictions(table.image_id, ("f" * 64, *table.sha256[1:]), table.group, table.label, table.logits)
    a_run(root, "base", 1)
    a_run(root, "other", 1, "optimizer.lr=3e-4", tables={"val": other})
    found = read(root)
    told = found.difference(found.recipe("base"), found.recipe("other"), found.primary)
    assert told.difference is None
    assert "another content" in told.reason


def test_seeds_that_gave_the_same_answers_are_no_two_seeds(root: Path) -> None:
    table = judged.predictions()
    for seed in (1, 2):
        a_run(root, "base", seed, tables={"val": table})
    a_run(root, "other", 1, "optimizer.lr=3e-4", skill=2)
    found = read(root)
    told = found.difference(found.recipe("base"), found.recipe("other"), found.primary)
    assert told.reason == "base: seeds 1, 2 gave the same answers, byte by byte"


def test_curves_are_the_history_and_a_damaged_one_is_none(root: Path) -> None:
    whole, torn = a_run(root, "base", 1), a_run(root, "base", 2)
    torn.history.write_text("epoch,val/loss\n1\n")
    [recipe] = read(root).recipes
    found = read(root)
    rows = [found.curves(one) for one in recipe.runs]
    assert [one.run.id for one in recipe.runs] == [whole.id, torn.id]
    assert [row["epoch"] for row in rows[0]] == [1, 2]
    assert rows[1] == []
    assert np.isfinite(rows[0][1]["rss_mb"] or 0.0)
