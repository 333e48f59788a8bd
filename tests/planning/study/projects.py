"""Projects with whole records of trainings that never were, one after the other in time."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import clock
from ctexp.planning import study
from ctexp.planning.study.study import Study
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.project import HERE


def project(folder: Path) -> Path:
    """A project's configuration; no data, no runs."""
    shutil.copytree(HERE / "conf", folder / "conf")
    (folder / "conf" / "local.yaml").unlink(missing_ok=True)  # a person's own
    return folder


@contextmanager
def in_order() -> Iterator[None]:
    """Whatever is begun in here is begun a minute after what was before it; nothing waits for the disk."""
    moments = (datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(100_000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: next(moments))
        patch.setattr(os, "fsync", lambda _: None)
        yield


def a_run(root: Path, name: str = "base", seed: int = 1, *words: str, **changes: Any) -> RunDir:
    """A training with some overrides beside those every one has; `changes` as `judged.a_run` takes them."""
    return judged.a_run(root / "runs", name, seed, overrides=words, root=HERE, **changes)


def of_night(plan: str, job: str) -> Origin:
    """Who asked for a job of a night."""
    return Origin(plan=plan, queue=f"{plan}_20261120-200000", job=job)


def read(root: Path, *named: str, start: str | None = None) -> Study:
    """The study of a project."""
    return study.read(root, root / "runs", named, start)


def titles(found: Study) -> list[str]:
    """What its recipes are called, newest first."""
    return [one.title for one in found.recipes]
