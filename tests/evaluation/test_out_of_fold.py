"""Folds put together: each image once, seeds averaged, spreads apart from intervals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ctexp.core.errors import DataError
from ctexp.evaluation import metrics
from ctexp.evaluation.out_of_fold import averaged, judged_twice, pooled, spread
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.scores import softmax
from tests.evaluation.conftest import draw


def part(table: Predictions, rows: Sequence[int], noise: int = 0) -> Predictions:
    """Some rows of a table, judged by a network of its own where `noise` names one."""
    logits = table.logits[list(rows)]
    if noise:
        logits = logits + np.random.default_rng(noise).normal(size=logits.shape).astype(np.float32)
    return Predictions(
        image_id=tuple(table.image_id[row] for row in rows),
        sha256=tuple(table.sha256[row] for row in rows),
        group=tuple(table.group[row] for row in rows),
        label=table.label[list(rows)],
        logits=logits,
    )


WHOLE = draw(60, 2.0, seed=3)
FOLDS = [list(range(fold, 60, 3)) for fold in range(3)]
MEMBERS = {(fold, seed): part(WHOLE, FOLDS[fold], seed) for seed in (41, 42) for fold in range(3)}


def test_one_seed_gives_each_image_its_own_network_s_answer() -> None:
    found = averaged(part(WHOLE, rows) for rows in FOLDS)

    order = np.argsort(WHOLE.image_id)
    assert found.image_id == tuple(sorted(WHOLE.image_id))
    assert np.array_equal(found.label, WHOLE.label[order])
    assert found.group == tuple(WHOLE.group[row] for row in order)
    assert found.probabilities == pytest.approx(WHOLE.probabilities[order], abs=1e-6)


def test_seeds_are_averaged_as_probabilities_after_calibration() -> None:
    found = averaged(MEMBERS.values(), temperature=1.7)

    assert len(found.image_id) == 60
    for image_id, row in zip(found.image_id, found.probabilities, strict=True):
        its = [
            softmax(member.logits.astype(np.float64) / 1.7)[member.image_id.index(image_id)]
            for member in MEMBERS.values()
            if image_id in member.image_id
        ]
        assert len(its) == 2
        assert row == pytest.approx(np.mean(its, axis=0), abs=1e-6)


def test_a_network_that_is_certain_leaves_finite_numbers() -> None:
    certain = replace(WHOLE, logits=(1e4 * WHOLE.logits).astype(np.float32))
    found = averaged([certain])
    assert np.isfinite(found.logits).all()
    order = np.argsort(WHOLE.image_id)
    assert np.array_equal(found.logits.argmax(axis=1), WHOLE.logits[order].argmax(axis=1))


def test_members_that_saw_different_images_under_one_name_are_refused() -> None:
    other = replace(MEMBERS[0, 42], sha256=tuple("f" * 64 for _ in FOLDS[0]))
    with pytest.raises(DataError, match="two members saw different images"):
        averaged([MEMBERS[0, 41], other])


def test_an_image_in_two_folds_of_a_seed_is_noticed_and_seeds_are_not_mistaken_for_folds() -> None:
    assert judged_twice(MEMBERS) == []
    doubled = MEMBERS | {(3, 42): part(WHOLE, [0])}
    assert judged_twice(doubled) == [f"{WHOLE.image_id[0]}: judged in two folds of seed 42"]


def test_the_temperature_sees_every_member_s_answer() -> None:
    labels, logits = pooled(MEMBERS.values())
    assert len(labels) == len(logits) == 120
    assert np.array_equal(logits[:20], MEMBERS[0, 41].logits)


def test_spreads_over_folds_and_seeds_are_told_apart() -> None:
    found = spread(MEMBERS)

    accuracy = {key: metrics.point(its.label, its.logits)["accuracy"] for key, its in MEMBERS.items()}
    by_fold = [np.mean([accuracy[fold, seed] for seed in (41, 42)]) for fold in range(3)]
    by_seed = [np.mean([accuracy[fold, seed] for fold in range(3)]) for seed in (41, 42)]
    folds, seeds = found["folds"]["accuracy"], found["seeds"]["accuracy"]
    assert list(folds["values"].values()) == pytest.approx(by_fold)
    assert folds["sd"] == pytest.approx(np.std(by_fold, ddof=1))
    assert seeds["sd"] == pytest.approx(np.std(by_seed, ddof=1))
    assert (seeds["lowest"], seeds["highest"]) == pytest.approx((min(by_seed), max(by_seed)))
    single = spread({key: its for key, its in MEMBERS.items() if key[1] == 42})
    assert single["seeds"]["accuracy"]["sd"] is None
    assert single["seeds"]["accuracy"]["mean"] == pytest.approx(by_seed[1])
