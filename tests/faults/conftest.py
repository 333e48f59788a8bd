import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.faults.starts import train
from tests.project import TINY, add_tiny_set, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a tiny data set; the test stands in it."""
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    yield folder
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished training."""
    folder = make_project(tmp_path_factory.mktemp("trained") / "project")
    add_tiny_set(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CTEXP_ROOT", raising=False)
        assert train(*TINY)[0] == 0
    return folder


@pytest.fixture
def finished(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunDir]:
    """The run of a copy of that project, to damage; the test stands in it."""
    folder = tmp_path / "project"
    shutil.copytree(trained, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    (path,) = run_paths(folder / "runs")
    yield RunDir(path)
    torch.use_deterministic_algorithms(False)
