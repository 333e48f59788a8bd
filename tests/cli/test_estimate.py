"""What a training will cost is told before it begins, recorded with it, and compared with what it did."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pexpect
import pytest
from invoke.exceptions import Exit

from ctexp.cli import costs
from ctexp.cli.verb import perform
from ctexp.config.compose import compose
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project, newest

pytestmark = pytest.mark.usefixtures("blank_pictures")

INV = str(Path(sys.executable).with_name("inv"))
FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
LONG = [word for word in TINY if "max_epochs" not in word] + ["trainer.max_epochs=100000"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def train(*words: str, **flags: Any) -> RunDir:
    perform("train:train", {"override": list(words), **FLAGS, **flags}, debug=False)
    return newest(Path("runs"))


def estimated(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    perform("estimate:estimate", {"override": list(words), "json": True}, debug=False)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def contents(folder: Path) -> set[str]:
    """Every file but those of the image cache."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "cache" not in path.parts}


def test_without_history_a_few_steps_are_measured_and_nothing_is_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(project)
    found = estimated(capsys, *TINY)
    assert contents(project) == before
    assert found["source"] == "measured"
    assert found["basis"] == "measured 2 steps"
    assert 0 < found["seconds"] < found["seconds_p90"]
    assert found["largest_micro_batch"] > 100
    assert found["earlier_estimates"] == {"runs": 0, "median_ratio": None, "p90_coverage": None}


@pytest.mark.slow
def test_runs_record_what_was_expected_until_history_tells(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2, 3):
        run = train(*TINY, f"seed={seed}")
        _, manifest, result, _ = run.read()
        assert manifest is not None
        assert manifest.estimate is not None
        assert manifest.estimate.basis == "measured 2 steps"
        assert manifest.estimate.seconds_p90 == pytest.approx(1.6 * manifest.estimate.seconds)
        size = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
        assert manifest.estimate.disk_bytes == pytest.approx(size, rel=0.3)
    summary = run.summary.read_text()
    assert "Estimated Duration:" in summary
    assert "p90" in summary
    assert " (measured 2 steps), took " in summary

    found = estimated(capsys, *TINY, "optimizer.lr=0.01")
    assert found["basis"] == "3 like runs"
    assert found["earlier_estimates"]["runs"] == 3
    assert result is not None
    assert found["seconds"] == pytest.approx(result.duration_seconds, rel=1.0)
    perform("estimate:estimate", {"override": [*TINY], "json": False}, debug=False)
    assert "3 runs took" in capsys.readouterr().out
    manifest = train(*TINY, "optimizer.lr=0.01").read().manifest
    assert manifest is not None
    assert manifest.estimate is not None
    assert manifest.estimate.basis == "3 like runs"
    assert estimated(capsys, *TINY, "trainer.accumulate_grad_batches=2")["source"] == "measured"
    assert project.is_dir()


def test_a_resumed_run_keeps_its_estimate(project: Path) -> None:
    run = train(*TINY)
    before = run.read().manifest
    run.result.unlink()
    assert train(resume=run.id).read().manifest == before
    assert project.is_dir()


def test_a_wrong_override_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as caught:
        perform("estimate:estimate", {"override": ["model=resnett50"], "json": False}, debug=False)
    assert caught.value.code == 2
    assert "did you mean 'resnet50'" in capsys.readouterr().err
    assert project.is_dir()


def test_a_long_run_says_so_and_goes_on_where_nobody_can_answer(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(*LONG, "trainer.early_stopping.patience=1")
    assert run.state() == "finished"
    said = capsys.readouterr().err
    assert "this run takes about " in said
    assert "of memory, 3." in said
    assert "(measured 2 steps)" in said
    smoke = "scripts/inv train experiment=smoke data.name=tiny model=tiny_cnn data.image_size=16 "
    assert f"try it first, in a minute or two: {smoke}trainer.accelerator=cpu\n" in said
    assert project.is_dir()


def test_what_to_try_first_is_of_the_experiments_network_and_images(project: Path) -> None:
    """An experiment is named once: the smoke test in its place has to say what it had said of these."""
    composed = compose(["experiment=quickstart", "data.image_size=48"], project)
    order = SimpleNamespace(overrides=composed.overrides, root=project)
    smoke = costs.smoke_test(order)  # type: ignore[arg-type]
    assert smoke == (
        "scripts/inv train experiment=smoke data=phantom model=tiny_cnn model.dropout=0.2 data.image_size=48"
    )
    assert compose(smoke.split()[2:], project).settings.data.name == "phantom"


def test_yes_asks_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctexp.core.screen.can_ask", lambda: True)
    assert train(*LONG, "trainer.early_stopping.patience=1", yes=True).state() == "finished"
    assert project.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("n", 4), ("y", 0)])
def test_on_a_terminal_a_long_run_asks(project: Path, answer: str, code: int) -> None:
    words = ["train", *LONG, "trainer.early_stopping.patience=1"]
    terminal = pexpect.spawn(INV, words, cwd=str(project), timeout=120, dimensions=(24, 300))
    terminal.expect("this run takes about .* of disk")
    terminal.expect("scripts/inv train experiment=smoke data.name=tiny")
    terminal.expect("Train now\\?")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == code
    assert len(run_paths(project / "runs")) == (answer == "y")
