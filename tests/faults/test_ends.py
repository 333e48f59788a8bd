"""Every other end of a training: not finite, out of memory, a full disk, damaged checkpoints, two at once."""

import fcntl
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from invoke.exceptions import Exit
from torch import Tensor

from ctexp.cli.verb import perform
from ctexp.core.errors import DataError
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.training.checkpoints import BEFORE_LAST, BEST, LAST, load, newest
from ctexp.training.module import Classifier
from tests.full_disk import largest_file
from tests.project import TINY, add_tiny_set, make_project

FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    yield folder
    torch.use_deterministic_algorithms(False)


def train(*words: str, resume: str | None = None) -> tuple[int, RunDir]:
    """The exit code, and the newest run."""
    code = 0
    try:
        flags = {"override": list(words), **FLAGS, "resume": resume}
        perform("train:train", flags, debug=False)
    except Exit as end:
        code = int(end.code)
    return code, RunDir(run_paths(Path("runs"))[-1])


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Any) -> None:
    """Let `act(loss)` decide the loss of one step."""
    original = Classifier.training_step

    def training_step(self: Classifier, batch: Any, batch_idx: int) -> Tensor:
        loss = original(self, batch, batch_idx)
        if self.global_step != step:
            return loss
        changed: Tensor = act(loss)
        self.sums._waiting[-1] = (step, changed.detach(), *self.sums._waiting[-1][2:])
        return changed

    monkeypatch.setattr(Classifier, "training_step", training_step)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    at_step(monkeypatch, 6, lambda loss: loss * value)
    code, run = train(*TINY)
    assert code == 11
    result = run.read().result
    assert result is not None
    assert (result.state, result.exit_code, result.epochs) == ("diverged", 11, 1)
    assert "step 6" in capsys.readouterr().err
    for name in (BEST, LAST):
        weights = load(run.checkpoints / name)["state_dict"].values()
        assert all(bool(torch.isfinite(tensor.float()).all()) for tensor in weights)
    assert project.is_dir()


def test_out_of_memory(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    at_step(monkeypatch, 5, exhausted)
    code, run = train(*TINY)
    assert code == 10
    assert run.state() == "oom"
    assert "data.batch_size=3" in capsys.readouterr().err
    assert project.is_dir()


def test_a_bug_of_ours_is_recorded_with_its_traceback(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Tensor) -> Tensor:
        raise ZeroDivisionError("a bug")

    at_step(monkeypatch, 5, broken)
    code, run = train(*TINY)
    assert code == 1
    result = run.read().result
    assert result is not None
    assert (result.state, result.failure) == ("failed", "ZeroDivisionError")
    assert "a bug" in run.attempt_traceback(1).read_text()
    assert "bug: ZeroDivisionError: a bug; traceback in runs/" in capsys.readouterr().err
    assert project.is_dir()


def test_a_disk_that_fills_up_leaves_the_checkpoint_of_before(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Classifier.on_train_epoch_start
    limits: list[Any] = []

    def fill(self: Classifier) -> None:
        original(self)
        if self.current_epoch == 1:
            limits.append(largest_file(300_000))
            limits[0].__enter__()

    monkeypatch.setattr(Classifier, "on_train_epoch_start", fill)
    try:
        code, run = train(*TINY)
    finally:
        limits[0].__exit__(None, None, None)
    assert code == 5
    result = run.read().result
    assert result is not None
    assert (result.state, result.failure) == ("failed", "StorageError")
    assert not list(run.path.rglob("*.tmp"))
    monkeypatch.undo()
    monkeypatch.chdir(project)
    code, run = train(resume=run.id)
    assert (code, run.state()) == (0, "finished")


@pytest.mark.parametrize("damage", ["truncated", "zeroed", "a flipped bit", "missing"])
def test_a_damaged_checkpoint_is_passed_over(
    project: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, run = train(*TINY)
    last = run.checkpoints / LAST
    content = bytearray(last.read_bytes())
    if damage == "truncated":
        last.write_bytes(content[:-100])
    elif damage == "zeroed":
        last.write_bytes(bytes(len(content)))
    elif damage == "missing":
        last.unlink()
    else:
        content[len(content) // 2] ^= 1
        last.write_bytes(content)
    assert newest(run.checkpoints) == run.checkpoints / BEFORE_LAST
    if damage != "missing":
        assert "damaged or replaced" in capsys.readouterr().err
    assert project.is_dir()


def test_a_checkpoint_that_would_run_code_runs_nothing(project: Path) -> None:
    _, run = train(*TINY)
    canary = project / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (canary,))

    from ctexp.training.checkpoints import DurableCheckpoints

    DurableCheckpoints().save_checkpoint({"state_dict": Payload()}, run.checkpoints / BEST)
    with pytest.raises(DataError, match="cannot be read"):
        load(run.checkpoints / BEST)
    with pytest.raises(Exit) as caught:
        perform("evaluate:evaluate", {"run": run.id, "split": "val", "json": False}, debug=False)
    assert caught.value.code == 3
    assert not canary.exists()


def test_a_run_that_is_running_is_not_resumed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, run = train(*TINY)
    run.result.unlink()
    with (run.path / "lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run.state() == "running"
        code, _ = train(resume=run.id)
    assert code == 75
    assert f"pid {os.getpid()}" in capsys.readouterr().err
    assert run.state() == "interrupted"
    assert project.is_dir()


def test_a_finished_training_killed_before_its_result_only_evaluates(project: Path) -> None:
    words = [word for word in TINY if not word.startswith("trainer.max_epochs")]
    _, run = train(*words, "trainer.early_stopping.patience=1", "trainer.max_epochs=20")
    before = json.loads(run.metrics.read_text())
    epochs = len(run.history.read_text().splitlines())
    assert epochs < 20
    run.result.unlink()
    run.metrics.unlink()
    code, again = train(resume="latest")
    assert (code, again.id) == (0, run.id)
    assert json.loads(run.metrics.read_text()) == before
    assert len(run.history.read_text().splitlines()) == epochs
    assert project.is_dir()


def test_a_run_whose_data_changed_is_not_resumed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, run = train(*TINY)
    run.result.unlink()
    (project / "data" / "raw" / "tiny").rename(project / "old")
    (project / "data" / "raw" / "tiny.parquet").unlink()
    add_tiny_set(project, train=26)
    code, _ = train(resume=run.id)
    assert code == 3
    assert "not the one it began with" in capsys.readouterr().err
    assert run.attempt_numbers() == [1]
