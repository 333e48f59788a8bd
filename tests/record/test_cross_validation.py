"""The folder of a cross-validation: found by a few letters, and out of the way of runs."""

from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.cross_validation import (
    CrossValidation,
    CrossValidationDir,
    EnsembleList,
    EnsembleMember,
    Fold,
)
from ctexp.record.find import run_paths
from ctexp.record.index import list_runs
from ctexp.record.run_dir import RunDir
from tests.record import samples


def made(runs: Path, name: str) -> CrossValidationDir:
    place = CrossValidationDir.create(runs, name)
    record(place.id).write(place.record)
    return place


def record(name: str) -> CrossValidation:
    return CrossValidation(
        id=name,
        name="resnet50",
        created=samples.BEGIN,
        command="scripts/inv cross-validate model=resnet50 --seeds 2",
        overrides=("model=resnet50",),
        config_sha256=samples.HASH,
        dataset="chest_ct",
        catalog_sha256=samples.HASH,
        split_sha256=samples.HASH,
        folds=2,
        seeds=(42, 43),
        members=tuple(Fold(fold=fold, seed=seed) for seed in (42, 43) for fold in range(2)),
    )


def test_lists_of_runs_do_not_see_it(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, "resnet50")
    made(tmp_path, "resnet50")
    assert run_paths(tmp_path) == [run.path]
    assert [found.id for found in list_runs(tmp_path)] == [run.id]


def test_it_is_found_by_its_id_a_beginning_or_as_the_latest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no cross-validations yet"):
        CrossValidationDir.find(tmp_path, "latest")
    first, second = made(tmp_path, "zebra"), made(tmp_path, "aardvark")
    later = second.path.with_name("aardvark_29991231-235959_abcdef")
    second.path.rename(later)

    assert CrossValidationDir.find(tmp_path, first.id) == first
    assert CrossValidationDir.find(tmp_path, "zeb") == first
    assert CrossValidationDir.find(tmp_path, "latest").path == later
    made(tmp_path, "zebra")
    with pytest.raises(UsageError, match="means 2 cross-validations"):
        CrossValidationDir.find(tmp_path, "zebra")
    for wrong in ("zebraa", "", "../zebra", "/etc"):
        with pytest.raises(DataError, match="no cross-validation"):
            CrossValidationDir.find(tmp_path, wrong)


def test_its_documents_are_read_back_equal(tmp_path: Path) -> None:
    member = EnsembleMember(
        fold=0,
        seed=42,
        run_id="r",
        checkpoint="r/checkpoints/best.ckpt",
        sha256=samples.HASH,
        temperature=1.5,
    )
    calibration = Calibration(
        temperature=1.5,
        fitted_on=FittedOn(split="val", n=72, groups=70),
        nll=Change(before=0.9, after=0.7),
        ece=Change(before=0.2, after=0.1),
        method="how",
        checkpoint_sha256=samples.HASH,
        notes=("said",),
    )
    for document in (record("x"), EnsembleList(id="x", members=(member,)), calibration):
        document.write(tmp_path / "it.json")
        assert type(document).read(tmp_path / "it.json") == document


def test_a_member_s_news_change_that_member_alone() -> None:
    before = record("x")
    news = before.members[2].model_copy(update={"state": "finished", "run_id": "r"})
    after = before.with_member(news)
    assert [member.state for member in after.members] == ["pending", "pending", "finished", "pending"]
    assert after.unfinished == (*after.members[:2], after.members[3])
