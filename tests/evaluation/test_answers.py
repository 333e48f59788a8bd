"""Stored predictions of an experiment, seed by seed and together."""

from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import DataError
from ctexp.evaluation import answers
from ctexp.evaluation.predictions import Predictions
from ctexp.record.subjects import Subject, subject
from tests import judged


def test_seeds_are_read_in_their_order_and_images_in_that_of_their_ids(tmp_path: Path) -> None:
    table = judged.predictions(seed=2)
    judged.a_run(tmp_path, "net", 2, tables={"val": table.at(np.arange(79, -1, -1))})
    judged.a_run(tmp_path, "net", 1)
    found = answers.read(subject(tmp_path, "net"), "val")
    assert list(found.seeds) == [1, 2]
    assert found.split == "val"
    assert found.tables[1].image_id == tuple(sorted(table.image_id)) == found.tables[0].image_id
    mean = (found.tables[0].probabilities + found.tables[1].probabilities) / 2
    np.testing.assert_allclose(found.joint.probabilities, mean, atol=1e-6)


def test_one_seed_is_its_own_joint_answer(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    found = answers.read(subject(tmp_path, "net"), "val")
    assert found.joint is found.tables[0]


def test_some_images_are_the_same_for_every_seed(tmp_path: Path) -> None:
    for seed in (1, 2):
        judged.a_run(tmp_path, "net", seed)
    found = answers.read(subject(tmp_path, "net"), "val")
    some = set(found.tables[0].image_id[:5])
    assert [set(table.image_id) for table in found.of(some).tables] == [some, some]


def test_a_cross_validation_answers_out_of_fold(tmp_path: Path) -> None:
    place = judged.a_cross_validation(tmp_path, folds=3)
    found = answers.read(subject(tmp_path, "cv"), "val")
    assert found.split == "oof"
    whole = Predictions.read(place.predictions).sorted()
    assert found.joint.image_id == whole.image_id
    np.testing.assert_allclose(found.joint.probabilities, whole.probabilities, atol=1e-6)


@pytest.mark.parametrize(
    ("split", "flags"), [("val", ""), ("train", " --split train"), ("test", " --split test --final")]
)
def test_what_is_missing_is_told_with_the_command_that_makes_it(
    tmp_path: Path, split: str, flags: str
) -> None:
    runs = [judged.a_run(tmp_path, "net", seed) for seed in (1, 2)]
    runs[1].predictions("val").unlink()
    meant = subject(tmp_path, "net")
    lacking = runs[1:] if split == "val" else runs
    assert answers.unpredicted(meant, split) == sorted(lacking, key=runs.index)
    refused = judged.refusal(lambda: answers.read(meant, split), DataError)
    for run in lacking:
        assert f"scripts/inv evaluate --run {run.id}{flags}" in refused


def test_a_damaged_table_is_refused_by_name(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "net", 1)
    content = run.predictions("val").read_bytes()
    run.predictions("val").write_bytes(content[: len(content) // 2])
    assert "predictions_val.parquet" in judged.refusal(lambda: judged.answers(run), DataError)


def test_seeds_that_judged_different_images_are_refused(tmp_path: Path) -> None:
    judged.a_run(tmp_path, "net", 1)
    judged.a_run(tmp_path, "net", 2, tables={"val": judged.predictions(n=70)})
    with pytest.raises(DataError, match="its seeds judged different images"):
        answers.read(subject(tmp_path, "net"), "val")


def test_a_seed_told_twice_is_refused(tmp_path: Path) -> None:
    runs = (judged.a_run(tmp_path, "net", 1), judged.a_run(tmp_path, "other", 1, skill=3))
    with pytest.raises(DataError, match="net: 2 runs of seed 1"):
        answers.read(Subject("baseline", "net", "name", runs), "val")
