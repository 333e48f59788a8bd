"""One training at a time on a GPU: who comes second is told who is first, and nothing is made."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ctexp.cli.train import new_order
from ctexp.config.compose import compose
from ctexp.core.device_lock import device_lock
from ctexp.core.errors import Busy
from ctexp.record.run_dir import RunDir
from ctexp.training.run import Training
from tests.project import TINY, add_tiny_set, make_project

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Training:
    """One that means to train on a GPU, which is as far as it comes here."""
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("ctexp.training.run.choose_devices", lambda *_: (torch.device("cuda", 0),))
    monkeypatch.setattr("ctexp.training.run.make_repeatable", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid=UUID))
    return Training(new_order(project, compose(TINY, project), json=True))


@pytest.mark.parametrize(
    "begin",
    [
        lambda training, _: training.start(),
        lambda training, _: training.trial(),
        lambda training, runs: training.resume(RunDir(runs / "some_run")),
    ],
    ids=["start", "trial", "resume"],
)
def test_the_second_is_refused_before_anything_is_made(
    training: Training, begin: Callable[[Training, Path], object], tmp_path: Path
) -> None:
    runs = tmp_path / "project" / "runs"
    with device_lock(f"GPU-{UUID}"), pytest.raises(Busy, match=f"GPU {UUID} is in use by pid"):
        begin(training, runs)
    assert not runs.exists()
