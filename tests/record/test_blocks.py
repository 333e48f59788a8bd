from pathlib import Path

import pytest

from ctexp.record.blocks import manifest_block, next_steps, results_block
from ctexp.record.git import GitState
from ctexp.record.result import Failure
from tests.record import samples

ID = "resnet50_20261121-050417_ab2cd3"
HERE = f"runs/{ID}"
GOLDEN = Path(__file__).parents[1] / "golden"


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


def test_the_manifest_block() -> None:
    assert manifest_block(samples.manifest(ID), HERE) == golden("manifest_block.txt")


def test_the_manifest_block_of_a_folder_without_git_and_a_run_without_estimate() -> None:
    manifest = samples.manifest(ID, git=GitState(reason="git is not installed"), estimate=None)
    assert manifest_block(manifest, HERE) == golden("manifest_block_without_git.txt")


def test_a_fold_what_is_left_out_and_warnings_stand_beside_the_split() -> None:
    plain = samples.manifest(ID).dataset
    changes = {"fold": 3, "split": "kfold", "left_out": {"val": 1, "test": 46}, "warnings": ("one", "two")}
    manifest = samples.manifest(ID, dataset=plain.model_copy(update=changes))
    assert manifest_block(manifest, HERE).splitlines()[7:11] == [
        "Dataset/Split:        chest_ct/kfold fold 3 (train 343, val 36 images; 47 left out)",
        "Warnings:             one",
        "                      two",
        "Output Directory:     runs/resnet50_20261121-050417_ab2cd3",
    ]


def test_the_results_block() -> None:
    result = samples.result(ID, warnings=("11 test images are byte-identical to train images",))
    assert results_block(result, HERE, f"{HERE}/train.log") == golden("results_block.txt")


def test_the_results_block_of_a_failed_second_attempt() -> None:
    result = samples.result(
        ID,
        state="failed",
        failure="StorageError",
        exit_code=5,
        attempt=2,
        epochs=1,
        metrics={},
        artifacts=(),
        error=Failure(
            kind="StorageError",
            message="no space left while writing last.ckpt\nno space left while writing history.csv",
            hint="free some space there, then resume",
            traceback_file="attempts/2.traceback.txt",
        ),
    )
    assert results_block(result, HERE, f"{HERE}/train.log") == golden("results_block_failed.txt")


@pytest.mark.parametrize(
    ("state", "exit_code", "first"),
    [
        ("finished", 0, f"scripts/inv report --runs {ID}"),
        ("interrupted", 143, f"scripts/inv train --resume {ID}"),
        ("timeout", 124, f"scripts/inv train --resume {ID}"),
        ("oom", 10, "try a smaller data.batch_size or data.image_size"),
        ("diverged", 11, "try a smaller optimizer.lr, or trainer.gradient_clip"),
    ],
)
def test_every_end_has_a_next_step(state: str, exit_code: int, first: str) -> None:
    assert next_steps(samples.result(ID, state=state, exit_code=exit_code))[0] == first


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ((), "Uncommitted Changes:  none"),
        (("a.py",), "Uncommitted Changes:  1 file (a.py), saved in git.diff"),
        (
            tuple(f"{n}\n.py" for n in range(7)),
            "Uncommitted Changes:  7 files (0 .py, 1 .py, 2 .py, 3 .py, 4 .py and 2 more), saved in git.diff",
        ),
    ],
)
def test_changed_files_are_counted_and_the_first_named(changed: tuple[str, ...], line: str) -> None:
    git = GitState(commit=samples.COMMIT, dirty=bool(changed), changed=changed, patch="git.diff")
    assert manifest_block(samples.manifest(ID, git=git), HERE).splitlines()[3] == line
    assert (
        manifest_block(samples.manifest(ID, git=git), HERE).splitlines()[2]
        == "Branch:               none (detached HEAD)"
    )
