"""Disks that are full before a run, and disks that fill up while it trains."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.checkpoint_files import BEST, LAST
from ctexp.record.events import read as read_events
from ctexp.record.find import run_paths
from ctexp.record.history import read as read_history
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel.checkpoints import load
from tests.faults.starts import FLAGS, at_step, train
from tests.full_disk import fill, small_disk
from tests.project import TINY

pytestmark = pytest.mark.usefixtures("blank_pictures")

SIZE = 40_000_000
"""Of the disk: more than two tiny runs take."""


@pytest.fixture
def runs(project: Path) -> Iterator[Path]:
    """The folder of runs, on a small disk of its own."""
    with small_disk(project / "runs", SIZE) as folder:
        yield folder


def filling(monkeypatch: pytest.MonkeyPatch, step: int, folder: Path, leaving: int) -> None:
    """Let somebody else take the space when a step computes its loss."""

    def act(losses: object) -> object:
        if not (folder / "filler").exists():
            fill(folder, leaving)
        return losses

    at_step(monkeypatch, step, act)


def test_too_little_space_is_refused_in_figures(
    project: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(runs, leaving=1_000_000)
    with pytest.raises(Exit) as caught:
        perform("train:train", {"override": [*TINY], **FLAGS}, debug=False)
    assert caught.value.code == 4
    error = capsys.readouterr().err
    found = re.search(r"/runs: a run needs ([\d.]+) MB, ([\d.]+) MB are free -> ", error)
    assert found
    assert float(found[1]) > 5
    assert float(found[2]) == pytest.approx(1.0, abs=0.1)
    assert not run_paths(runs)
    assert project.is_dir()


@pytest.mark.parametrize("leaving", [100_000, 0])
def test_a_disk_that_fills_up_while_training(
    runs: Path, monkeypatch: pytest.MonkeyPatch, leaving: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        filling(patch, 6, runs, leaving)
        code, run = train(*TINY)
    assert code == 5
    assert "no space left" in capsys.readouterr().err
    if leaving:
        result = run.read().result
        assert result is not None
        assert result.error is not None
        assert (result.state, result.failure) == ("failed", "StorageError")
        assert "it needs" in result.error.message
        assert result.error.hint
    assert run.state() in {"failed", "interrupted"}
    for name in (BEST, LAST):
        load(run.checkpoints / name)
    assert not list(run.path.rglob("*.tmp"))
    (runs / "filler").unlink()
    code, again = train(resume=run.id)
    assert (code, again.state()) == (0, "finished")


def test_no_space_for_temporary_files_costs_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "temporary", 1_000_000) as folder:
        fill(folder)
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)
        code, run = train(*TINY)
    assert (code, run.state()) == (0, "finished")
    assert project.is_dir()


def test_no_space_for_the_log_is_told_and_ends_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "logs", 1_000_000) as folder:
        fill(folder)
        monkeypatch.setattr(RunDir, "train_log", property(lambda _: folder / "train.log"))
        code, run = train(*TINY)
    assert code == 0
    result = run.read().result
    assert result is not None
    assert any("train.log is incomplete" in warning for warning in result.warnings)
    assert "warning: train.log is incomplete" in capsys.readouterr().err
    assert project.is_dir()


@pytest.mark.parametrize("file", ["events", "history"])
def test_no_space_for_a_growing_file_ends_the_run_with_a_result(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    with small_disk(tmp_path / "small", 1_000_000) as folder:
        monkeypatch.setattr(RunDir, file, property(lambda _: folder / file))
        filling(monkeypatch, 6, folder, 0)
        code, run = train(*TINY)
        if file == "history":
            assert [row["epoch"] for row in read_history(folder / file)] == [1]
        else:
            events = read_events(folder / file)
            assert [event["seq"] for event in events.events] == list(range(1, len(events.events) + 1))
            assert len(events.problems) <= 1
    assert code == 5
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.failure) == ("failed", "StorageError")
    assert str(folder) in result.error.message
    assert project.is_dir()
