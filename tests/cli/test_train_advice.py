"""What is said of an unwise configuration, before a run and in its record."""

from pathlib import Path

import pytest

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")

FLAGS = {"resume": None, "cfg": False, "yes": False, "json": False}
UNWISE = ("data.split=official", "sampler=class_balanced", "loss=balanced_softmax", "averaging=swa")
EARLY = ("averaging.start=0.9", "trainer.early_stopping.patience=1", "trainer.early_stopping.min_delta=100.0")
BALANCED_TWICE = "sampler=class_balanced, loss=balanced_softmax: both favour rare classes"
NOT_AVERAGED = "training ended before averaging.start"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def test_a_dry_run_and_a_run_warn_and_the_record_keeps_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*TINY, *UNWISE, *EARLY]
    perform("train:train", FLAGS | {"override": words, "dry_run": True}, debug=False)
    assert BALANCED_TWICE in capsys.readouterr().err
    assert not list((project / "runs").glob("*"))

    perform("train:train", FLAGS | {"override": words, "dry_run": False}, debug=False)
    assert BALANCED_TWICE in capsys.readouterr().err
    (path,) = run_paths(project / "runs")
    warnings = Result.read(RunDir(path).result).warnings
    assert sum(BALANCED_TWICE in line for line in warnings) == 1
    assert sum(NOT_AVERAGED in line for line in warnings) == 1
