"""A project that plans are checked against."""

from pathlib import Path

import pytest

from ctexp.data import catalog as catalogs
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import make
from ctexp.planning.checking.check import check
from ctexp.planning.checking.checked import Checked
from ctexp.planning.plan.load import load
from tests.leaky import add_leaky_set
from tests.planning.checking.plans import SHOWN, Check
from tests.project import add_tiny_set, make_project


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a small set in three folds, and a leaky one."""
    project = make_project(tmp_path_factory.mktemp("planned") / "project")
    add_tiny_set(project, train=40, val=40)
    add_leaky_set(project)
    catalog = catalogs.load(project / "data", "tiny")
    file = split_file.split_file(project / "research" / "splits", "tiny", "kfold")
    file.parent.mkdir(parents=True)
    file.write_text(split_file.as_text(catalog, make(catalog, "kfold", folds=3)))
    (project / "research" / "plans").mkdir()
    return project


@pytest.fixture
def checked(root: Path) -> Check:
    def call(text: str) -> Checked:
        file = root / SHOWN
        file.write_text(text)
        return check(load(file, SHOWN), root)

    return call
