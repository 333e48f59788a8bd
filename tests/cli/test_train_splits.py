"""Training by split schemes through its verb: what is chosen, what is said, and what the record keeps."""

import json
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from tests.leaky import COPIES, add_leaky_set
from tests.project import TINY, make_project, newest

pytestmark = pytest.mark.usefixtures("blank_pictures")

WORDS = ("data.name=leaky", *TINY[1:-2], "trainer.max_epochs=1", "logger=none")
FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
SPLIT = {"dataset": "leaky", "folds": 5, "ratios": "70/15/15", "seed": 42, "json": False}
FLATTERS = (
    f"official split: {COPIES} of 48 test images are copies of training images; figures on them flatter"
)
RARE = "test: few independent images ({} of normal): specificity can hardly be measured"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    add_leaky_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def call(target: str, code: int, **flags: Any) -> None:
    """Call a verb and see that it ends with `code`."""
    ended = 0
    try:
        perform(target, flags, debug=False)
    except Exit as end:
        ended = int(end.code)
    assert ended == code


def train(*words: str, code: int = 0, **flags: Any) -> RunDir:
    """Train; the newest run there is."""
    call("train:train", code, override=[*WORDS, *words] if "resume" not in flags else [], **FLAGS | flags)
    return newest(Path("runs"))


def test_auto_picks_clean_says_so_once_and_the_record_tells(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train()

    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "data.split=auto" in line]
    assert line == (
        f"data.split=auto: {COPIES} images of test left out, copies of training images; the clean scheme is "
        "used (data.split=official keeps them)"
    )
    assert f"leaky/clean (train 44, val 40, test {48 - COPIES} images; {COPIES} left out)" in said.out
    assert line in run.train_log.read_text()
    dataset = Manifest.read(run.manifest).dataset
    assert (dataset.split, dataset.fold, dataset.left_out) == ("clean", None, {"test": COPIES})
    assert dataset.warnings == (RARE.format(3),)
    assert dataset.split_shares == {"train": 0.3577, "val": 0.3252, "test": 0.3171}
    assert dataset.class_shares["test"]["normal"] == round(3 / 39, 4)
    assert dataset.dvc is not None
    assert dataset.dvc.reason.startswith("not tracked")
    assert RARE.format(3) in Result.read(run.result).warnings
    assert project.is_dir()


def test_official_must_be_named_and_its_warning_stands_everywhere(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train("data.split=official")

    said = capsys.readouterr()
    assert said.err.count(f"warning: {FLATTERS}") == 1
    assert Manifest.read(run.manifest).dataset.warnings == (FLATTERS, RARE.format(6))
    assert Result.read(run.result).warnings[:2] == (FLATTERS, RARE.format(6))
    manifest_block, _, results_block = said.out.partition("=== EXPERIMENT RESULTS ===")
    assert f"Warnings:             {FLATTERS}" in manifest_block
    assert f"Warnings:             {FLATTERS}" in results_block
    assert FLATTERS in (run.path / "summary.txt").read_text()
    call("runs:show", 0, run=run.id, json=False)
    assert capsys.readouterr().out.count(FLATTERS) == 2
    call("runs:show", 0, run=run.id, json=True)
    assert json.loads(capsys.readouterr().out)["manifest"]["dataset"]["warnings"] == [
        FLATTERS,
        RARE.format(6),
    ]
    assert project.is_dir()


def test_a_dry_run_says_what_auto_chose(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("train:train", 0, override=list(WORDS), **FLAGS | {"dry_run": True, "json": True})

    said = capsys.readouterr()
    assert "the clean scheme is used" in said.err
    assert json.loads(said.out)["dataset"]["split"] == "clean"
    assert project.is_dir()


@pytest.mark.slow
def test_a_fold_is_trained_resumed_and_evaluated_only_on_its_own_split(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("train:train", 3, override=[*WORDS, "data.split=kfold", "data.fold=1"], **FLAGS)
    assert "inv data-split --dataset leaky --scheme kfold" in capsys.readouterr().err
    call("split:split", 0, **SPLIT | {"scheme": "kfold"})
    call("train:train", 2, override=[*WORDS, "data.split=kfold", "data.fold=5"], **FLAGS)
    assert "kfold.txt has the folds 0 to 4" in capsys.readouterr().err
    assert not list(Path("runs").glob("*"))

    run = train("data.split=kfold", "data.fold=1")

    assert "leaky/kfold fold 1 (train " in capsys.readouterr().out
    manifest = Manifest.read(run.manifest)
    assert (manifest.dataset.split, manifest.dataset.fold) == ("kfold", 1)
    call("evaluate:evaluate", 0, run=run.id, split="val", json=True)
    assert json.loads(capsys.readouterr().out)["n"] == sum(manifest.dataset.rows["val"].values())

    call("split:split", 0, **SPLIT | {"scheme": "kfold", "seed": 9})
    capsys.readouterr()
    call("evaluate:evaluate", 3, run=run.id, split="val", json=False)
    assert "the kfold split of leaky is not the one it began with" in capsys.readouterr().err
    run.result.unlink()
    train(resume=run.id, code=3)
    assert "the kfold split of leaky is not the one it began with" in capsys.readouterr().err

    call("split:split", 0, **SPLIT | {"scheme": "kfold"})
    assert train(resume=run.id).id == run.id
    assert Result.read(run.result).attempt == 2
    assert project.is_dir()


def test_flipped_bytes_are_named_before_training_starts_though_the_cache_is_whole(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train()
    capsys.readouterr()
    raw = project / "data" / "raw" / "leaky"
    files = [
        raw / name for name in ("train/normal/04.png", "val/adenocarcinoma/03.png", "test/normal/10.png")
    ]
    for file in files:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    before = run_paths(Path("runs"))

    train(code=3)

    said = capsys.readouterr()
    lines = [line.partition(" -> ")[0] for line in said.err.splitlines()]
    assert lines == [f"DataError: {file}: its content differs from what was imported" for file in files]
    assert said.out == ""
    assert run_paths(Path("runs")) == before
