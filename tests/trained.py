"""Runs trained in a second or two, for tests of what is done with finished ones."""

from pathlib import Path

import pytest

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project

ONE_EPOCH = (*TINY, "trainer.max_epochs=1", "scheduler.warmup_epochs=0", "optimizer.lr=0.01")
"""Overrides of the shortest training there is."""

_FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


def project_with_images(folder: Path) -> Path:
    """A committed project with the tiny data set."""
    project = make_project(folder / "project")
    add_tiny_set(project)
    return project


def train(project: Path, *words: str) -> RunDir:
    """A run with these overrides of `ONE_EPOCH`; a later word for a key replaces an earlier one."""
    chosen = {word.partition("=")[0]: word for word in (*ONE_EPOCH, *words)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        before = set(run_paths(project / "runs"))
        perform("train:train", _FLAGS | {"override": list(chosen.values())}, debug=True)
        (made,) = set(run_paths(project / "runs")) - before
    return RunDir(made)


def extract_features(project: Path) -> None:
    """The table and lists of features of the tiny data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        perform("features:extract", {"dataset": "tiny", "split": "auto", "json": False}, debug=True)
