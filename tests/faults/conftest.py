from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.project import add_tiny_set, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a tiny data set; the test stands in it."""
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    yield folder
    torch.use_deterministic_algorithms(False)
