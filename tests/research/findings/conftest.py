"""One project, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from ctexp.research import findings
from tests.research.findings import project


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("findings") / "project"
    project.make(root)
    findings.write(root, project.its_plan(root), root / "data")
    return root


@pytest.fixture
def root(_made: Path, tmp_path: Path) -> Path:
    """A project with answers and findings, to be changed at will."""
    return Path(shutil.copytree(_made, tmp_path / "project"))
