"""The same images for all, or a refusal that says how many."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import DataError
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.verdicts.images import matched
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from tests import judged


def of(title: str, *tables: Predictions, split: str = "val") -> Answers:
    subject = Subject(title, title, "name", (RunDir(Path(title)),))
    return Answers(subject, split, {seed: its.sorted() for seed, its in enumerate(tables)})


def test_equal_sets_stay_as_they_are() -> None:
    one, other = (
        of("a", judged.predictions()),
        of("b", judged.predictions(seed=4), judged.predictions(seed=5)),
    )
    found = matched([one, other], intersect=False)
    assert found.answers == [one, other]
    assert found.left_out == {}


def test_other_images_are_refused_with_both_counts_and_the_way() -> None:
    whole = judged.predictions(40)
    some = whole.at(np.arange(10, 40))
    refused = judged.refusal(lambda: matched([of("a", whole), of("b", some)], intersect=False), DataError)
    assert "a: 40 images of val, 30 of them judged by all" in refused
    assert "b: 30 images of val, 30 of them judged by all" in refused
    assert "compare on the 30 images that all have judged: add --intersect" in refused


def test_the_common_images_are_what_all_have_judged() -> None:
    whole = judged.predictions(40)
    parts = [of("a", whole.at(np.arange(30))), of("b", whole), of("c", whole.at(np.arange(10, 40)))]
    found = matched(parts, intersect=True)
    assert found.left_out == {"a": 10, "b": 20, "c": 10}
    common = of("x", whole.at(np.arange(10, 30))).joint
    assert {its.joint.image_id for its in found.answers} == {common.image_id}
    np.testing.assert_array_equal(found.answers[1].joint.logits, common.logits)


def test_the_same_images_have_the_same_digest_and_others_another() -> None:
    whole = judged.predictions(40)
    one = matched([of("a", whole), of("b", judged.predictions(40, seed=3))], intersect=False).sha256
    assert one == matched([of("b", judged.predictions(40, seed=9))], intersect=False).sha256
    assert one != matched([of("a", whole.at(np.arange(39)))], intersect=False).sha256


def test_nothing_in_common_cannot_be_mended() -> None:
    one, other = judged.predictions(8), judged.predictions(8, prefix="test")
    refused = judged.refusal(lambda: matched([of("a", one), of("b", other)], intersect=True), DataError)
    assert "nothing can be compared" in refused


@pytest.mark.parametrize("intersect", [True, False])
def test_an_id_that_stands_for_two_things_is_always_refused(intersect: bool) -> None:
    whole = judged.predictions(12)
    label = whole.label.copy()
    label[3] = (label[3] + 1) % 4
    relabelled = of("b", replace(whole, label=label))
    changed = of("c", replace(whole, sha256=("f" * 64, *whole.sha256[1:])))
    sets = [of("a", whole), relabelled, changed]
    refused = judged.refusal(lambda: matched(sets, intersect=intersect), DataError)
    assert f"b: another class under {whole.image_id[3]}" in refused
    assert f"c: another content under {whole.image_id[0]}" in refused
    assert "--intersect" not in refused


def test_images_grouped_otherwise_are_refused_by_name() -> None:
    table = judged.predictions(8)
    other = replace(table, group=("all",) * 8)
    said = judged.refusal(
        lambda: matched([of("a", table), of("b", other, other.at(np.arange(8)))], intersect=True), DataError
    )
    assert said.count("b: another group under val/adenocarcinoma/0000.png") == 1


def test_seeds_with_the_same_answers_are_no_seeds() -> None:
    table = judged.predictions()
    said = judged.refusal(
        lambda: matched([of("a", judged.predictions(seed=3)), of("b", table, table)], intersect=False),
        DataError,
    )
    assert "b: seeds 0, 1 gave the same answers, byte by byte" in said
    assert "name a single run" in said
