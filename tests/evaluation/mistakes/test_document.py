"""The whole document: confusions and lists against counting, odd subjects, no torch."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.evaluation.mistakes.document import LISTED, Mistakes, mistakes
from ctexp.evaluation.mistakes.images import ambiguous, confident_mistakes, entropy, margin
from ctexp.evaluation.mistakes.pairs import confusions
from ctexp.evaluation.predictions import Predictions
from tests.evaluation.conftest import draw
from tests.evaluation.mistakes.tables import answers, cases, drawn, rows


def whole(*tables: Predictions, split: str = "val") -> Mistakes:
    return mistakes(answers(*tables, split=split), (), "drawn")[0]


def perfect(n: int) -> Predictions:
    table = draw(n, 0.0)
    return replace(table, logits=9 * np.eye(4, dtype=np.float32)[table.label])


def test_confusions_are_those_of_the_matrix_the_most_frequent_first() -> None:
    found = drawn(300, 1.0, 1)
    told = confusions(found)
    matrix = confusion_matrix(found.label, found.called, labels=range(4))

    assert {(one.truth, one.called): one.n for one in told} == {
        (CLASSES[row], CLASSES[column]): matrix[row, column]
        for row in range(4)
        for column in range(4)
        if row != column and matrix[row, column]
    }
    assert [one.n for one in told] == sorted((one.n for one in told), reverse=True)
    for one in told:
        support = int(matrix[CLASSES.index(one.truth)].sum())
        low, high = proportion_confint(one.n, support, method="wilson")
        assert (one.rate.value, one.rate.n) == (one.n / support, support)
        assert (one.rate.low, one.rate.high) == pytest.approx((low, high), abs=1e-8)


def test_mistakes_come_by_confidence_and_undecided_images_by_margin() -> None:
    found = drawn(300, 1.0, 2)
    surest = confident_mistakes(found)

    assert found.wrong[surest].all()
    assert len(surest) == found.wrong.sum()
    assert (np.diff(found.confidence[surest]) <= 0).all()
    closest = ambiguous(found)
    assert (margin(found)[closest] < 0.2).all()
    assert (np.diff(margin(found)[closest]) >= 0).all()
    assert len(closest) == (margin(found) < 0.2).sum()


def test_entropy_is_two_bits_for_no_idea_and_none_for_certainty() -> None:
    found = drawn(2, 0.0)
    told = entropy(replace(found, probabilities=np.array([[0.25] * 4, [0.0, 1.0, 0.0, 0.0]])))

    assert told == pytest.approx([2.0, 0.0])


def test_it_comes_back_from_the_disk_and_counts_right(tmp_path: Path) -> None:
    table = draw(400, 1.0, 3)
    found = mistakes(answers(table), rows(drawn(400, 1.0, 3)), "drawn")[0]
    found.write(tmp_path / "errors.json")

    assert Mistakes.read(tmp_path / "errors.json") == found
    called = table.logits.argmax(axis=1)
    assert found.errors == (called != table.label).sum()
    cancers = table.label != NORMAL
    assert found.miss_rate.value == pytest.approx((called[cancers] == NORMAL).mean())
    assert len(found.confident) == LISTED
    json.dumps(found.document(), allow_nan=False)


def test_without_errors_it_says_so() -> None:
    found = whole(perfect(40))

    assert (found.errors, found.confusions, found.confident) == (0, (), ())
    assert found.accuracy.low is not None
    assert found.accuracy.low < 1
    assert "no image is called wrong: there are no mistakes to look at" in found.notes


def test_a_single_image_is_told_of() -> None:
    found = whole(draw(1, 5.0))

    assert (found.images, found.groups, found.slices) == (1, 1, ())
    assert found.mislabelled.withheld == "the images are all of one class"


def test_few_errors_and_images_learned_from_are_noted() -> None:
    table = perfect(40)
    table.logits[0] = np.roll(table.logits[0], 1)

    assert any("may be chance" in note for note in whole(table).notes)
    trained = whole(table, split="train")
    assert any("have learned from these images" in note for note in trained.notes)
    assert trained.mislabelled.withheld


@pytest.mark.parametrize(("split", "noted"), [("test", True), ("train", False)])
def test_official_test_images_out_of_fold_are_noted(split: str, noted: bool) -> None:
    table = draw(40, 1.0)
    its = rows(cases(table), lambda place: {"split": split if place % 2 else "val"})
    found = mistakes(answers(table, split="oof"), its, "drawn")[0]

    assert any("official test images are among them" in note for note in found.notes) is noted


def test_several_seeds_are_judged_together_and_against_each_other() -> None:
    truth = draw(100, 0.0, 4)
    seeds = [replace(truth, logits=truth.logits + draw(100, 2.0, seed).logits) for seed in (4, 4)]
    seeds[1] = replace(seeds[1], logits=np.roll(seeds[1].logits, 1, axis=0))
    found = whole(*seeds)

    joint = answers(*seeds).joint
    assert found.errors == (joint.logits.argmax(axis=1) != joint.label).sum()
    assert found.seeds == (1, 2)
    assert found.stability is not None


def test_torch_is_not_needed() -> None:
    code = (
        "import sys, ctexp.evaluation.mistakes.document, ctexp.evaluation.mistakes.folder, "
        "ctexp.cli.error_tables; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
