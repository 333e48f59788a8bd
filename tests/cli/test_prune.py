"""`inv prune` through its verb: what it tells, what it deletes, and what the others say of it afterwards."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished run."""
    folder = make_project(tmp_path_factory.mktemp("prune") / "project")
    add_tiny_set(folder)
    flags = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CTEXP_ROOT", raising=False)
        perform("train:train", flags | {"override": list(TINY)}, debug=True)
    shutil.copytree(folder / "runs", folder / "as-trained")
    return folder


@pytest.fixture
def run(made: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """The run as it was trained."""
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    shutil.rmtree("runs")
    shutil.copytree("as-trained", "runs")
    return RunDir(run_paths(made / "runs")[0])


def prune(**flags: Any) -> None:
    words = {"older_than": "0h", "keep": 1, "apply": False, "json": False}
    perform("prune:prune", words | flags, debug=False)


def refused(capsys: pytest.CaptureFixture[str], code: int, target: str, **flags: Any) -> str:
    capsys.readouterr()
    with pytest.raises(Exit) as caught:
        perform(target, flags, debug=False)
    assert caught.value.code == code
    return capsys.readouterr().err


def test_it_tells_first_and_deletes_when_asked(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    prune()
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split()[:2] == [run.id, "checkpoints/last.ckpt"]
    assert "1 file of 1 run," in said.out
    assert "would be deleted; 1 run looked at" in said.out
    assert "--apply" in said.err
    assert (run.checkpoints / "last.ckpt").exists()

    size = (run.checkpoints / "last.ckpt").stat().st_size
    prune(apply=True, json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["applied"] is True
    assert document["bytes"] == size
    assert [file["file"] for file in document["runs"][0]["files"]] == ["checkpoints/last.ckpt"]
    assert {path.name for path in run.checkpoints.iterdir()} == {"best.ckpt", "sha256sums"}

    perform("evaluate:evaluate", {"run": run.id, "split": "val", "json": True}, debug=True)
    capsys.readouterr()
    prune()
    assert capsys.readouterr().out.startswith("0 files of 0 runs, 0.0 MB, would be deleted; 1 run looked at")


def test_young_runs_lose_nothing(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    prune(older_than="1h", keep=0, apply=True)

    assert "0 files of 0 runs, 0.0 MB, deleted" in capsys.readouterr().out
    assert (run.checkpoints / "last.ckpt").exists()


@pytest.mark.parametrize("age", ["7", "d", "7 d", "-7d", "7m", "1.5d", "", "999999d"])
def test_an_age_has_a_unit(run: RunDir, capsys: pytest.CaptureFixture[str], age: str) -> None:
    words = {"older_than": age, "keep": 0, "apply": True, "json": False}
    error = refused(capsys, 2, "prune:prune", **words)

    assert "say a whole number and its unit: 12h, 7d or 2w" in error
    assert (run.checkpoints / "last.ckpt").exists()


def test_a_negative_number_to_keep_is_refused(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"older_than": "0h", "keep": -1, "apply": True, "json": False}
    assert "--keep: -1 is negative" in refused(capsys, 2, "prune:prune", **words)
    assert (run.checkpoints / "last.ckpt").exists()


def test_others_say_plainly_that_a_checkpoint_was_pruned(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    prune(keep=0, apply=True)

    error = refused(capsys, 3, "evaluate:evaluate", run=run.id, split="val", json=False)
    assert f"{run.id}: best.ckpt was pruned on 20" in error
    assert "finished over 0h ago -> train it anew: scripts/inv train data.name=tiny" in error
    perform("runs:show", {"run": run.id, "json": False}, debug=True)
    assert f"{run.id}: best.ckpt was pruned on 20" in capsys.readouterr().err


def test_a_pruned_run_is_not_resumed_from_the_beginning(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    result = json.loads(run.result.read_text()) | {"state": "diverged", "exit_code": 11}
    run.result.write_text(json.dumps(result))
    prune(apply=True)

    flags = {"resume": run.id, "override": [], "cfg": False, "dry_run": False, "yes": True, "json": False}
    error = refused(capsys, 3, "train:train", **flags)

    assert f"{run.id}: last.ckpt was pruned on 20" in error
    assert json.loads(run.result.read_text()) == result
