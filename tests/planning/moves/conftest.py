"""The shipped catalogue and configuration, read once."""

import shutil
from pathlib import Path

import pytest

from ctexp.config.compose import Composer
from ctexp.planning.moves import catalogue
from ctexp.planning.moves.catalogue import Catalogue
from tests.project import HERE


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the shipped `conf/`, and nobody's own settings."""
    folder = tmp_path_factory.mktemp("moves")
    shutil.copytree(HERE / "conf", folder / "conf")
    (folder / "conf" / "local.yaml").unlink(missing_ok=True)  # a person's own
    return folder


@pytest.fixture(scope="session")
def shipped(root: Path) -> Catalogue:
    return catalogue.load(root)


@pytest.fixture(scope="session")
def composer(root: Path) -> Composer:
    return Composer(root)
