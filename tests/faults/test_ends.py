"""Every other end of a training: not finite, out of memory, a full disk, damaged checkpoints, two at once."""

import fcntl
import hashlib
import json
import math
import os
import pickle
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from invoke.exceptions import Exit
from torch import Tensor

from ctexp.cli.verb import perform
from ctexp.core.errors import DataError
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, LAST
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel.checkpoints import DurableCheckpoints, load, newest
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from tests.faults.starts import FLAGS, at_step, train
from tests.full_disk import largest_file
from tests.project import TINY, add_tiny_set

pytestmark = pytest.mark.usefixtures("blank_pictures")


def without_gradient(losses: Tensor) -> Tensor:
    """The same losses; the root's slope at zero is infinite, and nothing times it is not a number."""
    return losses + 0 * (losses - losses.detach()).abs().sqrt()


@pytest.mark.parametrize(
    ("what", "spoil"),
    [
        ("loss", lambda losses: losses * math.nan),
        ("loss", lambda losses: losses * math.inf),
        ("gradient", without_gradient),
    ],
)
def test_what_is_not_finite(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str, spoil: Any
) -> None:
    at_step(monkeypatch, 6, spoil)
    code, run = train(*TINY)
    assert code == 11
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.exit_code, result.epochs) == ("diverged", 11, 1)
    assert result.error.message == f"the training {what} is not finite at step 6"
    good = f"the last good checkpoint is runs/{run.id}/checkpoints/last.ckpt (epoch 1, step 4)"
    assert result.error.hint.endswith(good)
    assert good in capsys.readouterr().err
    for name in (BEST, LAST):
        weights = load(run.checkpoints / name)["state_dict"].values()
        assert all(bool(torch.isfinite(tensor.float()).all()) for tensor in weights)
    assert project.is_dir()


def test_not_finite_before_the_first_checkpoint(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 2, lambda losses: losses * math.nan)
    code, run = train(*TINY)
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (code, result.error.hint.endswith("no checkpoint had been written yet")) == (11, True)
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
    project: Path, monkeypatch: pytest.MonkeyPatch, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at_step(monkeypatch, 10, lambda losses: losses * math.nan)  # a finished run keeps the last one alone
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
    found = newest(run.checkpoints)
    assert found is not None
    assert found.path == run.checkpoints / BEFORE_LAST
    if damage != "missing":
        assert "damaged or replaced" in capsys.readouterr().err
    assert project.is_dir()


def test_a_checkpoint_that_would_run_code_runs_nothing(finished: RunDir) -> None:
    run, project = finished, finished.path.parents[1]
    canary = project / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (canary,))

    DurableCheckpoints().save_checkpoint({"state_dict": Payload()}, run.checkpoints / BEST)
    with pytest.raises(DataError, match="cannot be read"):
        load(run.checkpoints / BEST)
    with pytest.raises(Exit) as caught:
        perform("evaluate:evaluate", {"run": run.id, "split": "val", "json": False}, debug=False)
    assert caught.value.code == 3
    assert not canary.exists()


def test_a_resume_runs_no_code_of_its_checkpoint(
    finished: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain pickle, as old torch files were, and its hash where the true one stood."""
    run, project = finished, finished.path.parents[1]
    run.result.unlink()
    canary = project / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (canary,))

    evil = pickle.dumps({"state_dict": Payload(), "loops": {}, "callbacks": {}}, protocol=2)
    names = (LAST, BEFORE_LAST, BEST)
    for name in names:
        (run.checkpoints / name).write_bytes(evil)
    digest = hashlib.sha256(evil).hexdigest()
    (run.checkpoints / "sha256sums").write_text("".join(f"{digest}  {name}\n" for name in names))
    code, _ = train(resume=run.id)
    assert code == 3
    assert "no checkpoint is whole" in capsys.readouterr().err
    with pytest.raises(Exit) as caught:
        perform("evaluate:evaluate", {"run": run.id, "split": "val", "json": False}, debug=False)
    assert caught.value.code == 3
    assert not canary.exists()


def test_a_run_that_is_running_is_not_resumed(finished: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished
    run.result.unlink()
    with (run.path / "lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run.state() == "running"
        code, _ = train(resume=run.id)
    assert code == 75
    assert f"pid {os.getpid()}" in capsys.readouterr().err
    assert run.state() == "interrupted"


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


def test_a_run_whose_data_changed_is_not_resumed(
    finished: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    run, project = finished, finished.path.parents[1]
    run.result.unlink()
    (project / "data" / "raw" / "tiny").rename(project / "old")
    (project / "data" / "raw" / "tiny.parquet").unlink()
    add_tiny_set(project, train=26)
    code, _ = train(resume=run.id)
    assert code == 3
    assert "not the one it began with" in capsys.readouterr().err
    assert run.attempt_numbers() == [1]


def test_both_checkpoints_damaged_is_refused_not_begun_anew(
    finished: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished
    run.result.unlink()
    for name in (LAST, BEFORE_LAST):
        (run.checkpoints / name).write_bytes(b"x")
    history = run.history.read_text()
    code, _ = train(resume=run.id)
    assert code == 3
    assert "no checkpoint is whole" in capsys.readouterr().err
    assert (run.history.read_text(), run.attempt_numbers()) == (history, [1])


@pytest.mark.parametrize("file", ["checkpoints/best.ckpt", "history.csv", "config.yaml"])
def test_a_resume_that_cannot_end_well_changes_nothing(
    finished: RunDir, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished
    result = run.result.read_text()
    run.result.write_text(
        result.replace('"finished"', '"interrupted"').replace('"exit_code": 0', '"exit_code": 143')
    )
    before = run.result.read_text()
    path = run.path / file
    if file == "config.yaml":
        path.write_text(path.read_text().replace("max_epochs: 3", "max_epochs: 5"))
    else:
        path.write_text("x,y\n1,2\n")
    code, _ = train(resume=run.id)
    assert code == 3
    assert path.name in capsys.readouterr().err
    assert (run.result.read_text(), run.attempt_numbers()) == (before, [1])


def test_a_writer_killed_between_two_files_costs_no_hash(finished: RunDir) -> None:
    """`sha256sums` then has two lines for `last`; whichever hash is the larger, the true one is kept."""
    run = finished
    sums = run.checkpoints / "sha256sums"
    lines = sums.read_text()
    true = load(run.checkpoints / LAST)
    for other in ("0" * 64, "f" * 64):
        sums.write_text("".join(sorted([*lines.splitlines(True), f"{other}  {LAST}\n"])))
        DurableCheckpoints().save_checkpoint({"epoch": 9}, run.checkpoints / LAST)
        assert load(run.checkpoints / LAST) == {"epoch": 9}
        assert load(run.checkpoints / BEFORE_LAST)["global_step"] == true["global_step"]
        (run.checkpoints / BEFORE_LAST).replace(run.checkpoints / LAST)
        sums.write_text(lines)


@pytest.mark.parametrize(
    "words",
    [
        ["data.batch_size=1"],
        ["model=convnext_tiny", "model.pretrained=false", "data.image_size=16"],
    ],
)
def test_a_network_that_cannot_take_the_images_is_refused_before_the_run(
    project: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {word.partition("=")[0] for word in words}
    rest = [word for word in TINY if word.partition("=")[0] not in chosen]
    with pytest.raises(Exit) as caught:
        perform("train:train", {"override": [*rest, *words], **FLAGS}, debug=False)
    assert caught.value.code == 2
    assert "data.image_size" in capsys.readouterr().err
    assert not run_paths(project / "runs")


def test_signals_while_the_end_is_written_do_not_lose_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    original = StopRequests.let_finish

    def impatient(self: StopRequests) -> None:
        original(self)
        self._clock = lambda: now[0]
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
            now[0] += 5

    monkeypatch.setattr(StopRequests, "let_finish", impatient)
    code, run = train(*TINY)
    assert (code, run.state()) == (0, "finished")
    assert project.is_dir()


def test_a_run_killed_before_its_first_start_was_written_down_is_gone_on_with(finished: RunDir) -> None:
    """All that there is of it then is what it was to be."""
    for left in ("attempts", "checkpoints", "figures"):
        shutil.rmtree(finished.path / left)
        (finished.path / left).mkdir()
    for name in ("result.json", "history.csv", "metrics.json", "calibration.json", "summary.txt"):
        (finished.path / name).unlink()
    finished.predictions("val").unlink()
    code, run = train(resume=finished.id)
    assert (code, run.state()) == (0, "finished")
    assert run.attempt_numbers() == [1]
