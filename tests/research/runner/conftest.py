import shutil
from pathlib import Path

import pytest

from tests.project import make_project


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("made") / "project")


@pytest.fixture
def project(committed: Path, tmp_path: Path) -> Path:
    """A committed project without runs."""
    return Path(shutil.copytree(committed, tmp_path / "project"))
