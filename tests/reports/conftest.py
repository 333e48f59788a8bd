"""A project with a small data set and records by the real writers: a good experiment, a poor one, a wreck."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ctexp.config import verdict
from ctexp.core.classes import CLASSES
from ctexp.core.paths import ledger_file
from ctexp.data import catalog
from ctexp.data.catalog import Catalog
from ctexp.evaluation.predictions import Predictions
from ctexp.record import history
from ctexp.record.ledger import Ledger
from ctexp.record.run_dir import RunDir
from ctexp.reports import build, selection
from ctexp.reports.build import Report
from ctexp.reports.page.render import render
from tests import judged
from tests.project import add_tiny_set, make_project

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = "</script><script>document.title='taken'</script><img src=http://example.org/x onerror=alert(1)>"


def answers_of(found: Catalog, split: str, skill: float, seed: int) -> Predictions:
    """What somebody of some skill says of a split of a real data set."""
    rows = [row for row in found.rows if row.split == split]
    label = np.array([CLASSES.index(row.class_name) for row in rows])
    logits = np.random.default_rng(seed).normal(size=(len(rows), len(CLASSES)))
    logits[np.arange(len(rows)), label] += skill
    return Predictions(
        image_id=tuple(row.image_id for row in rows),
        sha256=tuple(row.sha256 for row in rows),
        group=tuple(str(index // 2) for index in range(len(rows))),  # pairs of look-alikes
        label=label.astype(np.int64),
        logits=logits.astype(np.float32),
    )


def add_run(project: Path, name: str, seed: int, skill: float, test: bool = False, **changes: Any) -> RunDir:
    """A whole run on the project's data set, with a history of five epochs."""
    found = catalog.load(project / "data", "tiny")
    splits = ("val", "test") if test else ("val",)
    tables = {split: answers_of(found, split, skill, seed) for split in splits}
    about = judged.dataset(name="tiny", catalog_sha256=found.sha256)
    run = judged.a_run(
        project / "runs", name, seed, tables=tables, root=project, **{"dataset": about} | changes
    )
    run.history.unlink()
    epochs = history.History(run.history)
    for epoch in range(1, 6):
        epochs.append(
            {
                "epoch": epoch,
                "train/loss": 1.5 / epoch,
                "val/loss": 1.6 / epoch,
                "val/macro_f1": 0.15 * epoch,
                "val/accuracy": 0.14 * epoch,
                "val/miss_rate": 0.5 - 0.05 * epoch,
                "rss_mb": 900.0 + epoch,
            }
        )
    return run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`good` with three seeds and an opened test split, `poor` with three, `broken`, which cannot be read."""
    folder = make_project(tmp_path_factory.mktemp("report") / "project")
    add_tiny_set(folder, val=120)
    for seed in (1, 2, 3):
        add_run(folder, "good", seed, 2.6, test=True, description=HOSTILE)
        add_run(folder, "poor", seed, 0.2)
    broken = add_run(folder, "broken", 1, 1.0)
    broken.predictions("val").write_bytes(b"PAR1 and nothing more")
    return folder


def report_of(project: Path, *named: str) -> Report:
    """What is told of some runs."""
    runs = project / "runs"
    chosen = selection.select(runs, named, None, None, now=MOMENT)
    settings = verdict.load(project)
    altered = Ledger(ledger_file(project)).problems(project, runs)
    return build.build(chosen, None, root=project, data=project / "data", altered=altered, settings=settings)


@pytest.fixture(scope="session")
def report(project: Path) -> Report:
    """Of all three."""
    return report_of(project, "good", "poor", "broken")


@pytest.fixture(scope="session")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(report, MOMENT), encoding="utf-8")
    return path
