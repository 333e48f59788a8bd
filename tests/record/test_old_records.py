"""A record of every version of the schema stays readable for ever: these specimens are never rewritten."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from ctexp.core.classes import CLASSES
from ctexp.core.files import sha256_bytes, sha256_file
from ctexp.record import events, history
from ctexp.record.blocks import manifest_block, results_block
from ctexp.record.find import find
from ctexp.record.index import list_runs
from ctexp.record.manifest import Checkpoint
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.show import describe

SPECIMENS = Path(__file__).parents[1] / "old_records"


@pytest.fixture
def v1() -> RunDir:
    return find(SPECIMENS / "v1", "latest")


@pytest.mark.parametrize("version", ["v1"])
def test_a_specimen_is_as_it_was_put_there(version: str) -> None:
    folder = SPECIMENS / version
    sums = dict(line.split("  ", 1)[::-1] for line in (folder / "sha256sums").read_text().splitlines())
    found = {
        str(path.relative_to(folder)): sha256_file(path)
        for path in folder.rglob("*")
        if path.is_file() and path != folder / "sha256sums"
    }
    assert found == sums


def test_version_1_is_read_whole(v1: RunDir) -> None:
    shown = describe(v1)
    assert (shown.problems, shown.state) == ((), "finished")
    assert shown.manifest is not None
    assert shown.result is not None
    assert shown.metrics is not None
    assert shown.manifest.seed == 7
    assert shown.manifest.origin.job == "tiny-baseline-s7"
    assert shown.manifest.dataset.rows["train"] == dict(zip(CLASSES, (6, 5, 6, 5), strict=True))
    assert shown.result.metrics["val/accuracy"].low == 0.3057
    assert shown.result.metrics["val/auroc"].value is None
    assert [(page.number, page.ended) for page in shown.attempts] == [(1, "interrupted"), (2, "finished")]
    assert shown.attempts[1].resumed_from == Checkpoint(epoch=1, step=3)
    assert shown.history_tail[0]["val/auroc"] is None
    assert yaml.safe_load(v1.overrides.read_text()) == list(shown.manifest.overrides)


def test_version_1_agrees_with_itself(v1: RunDir) -> None:
    shown = describe(v1)
    assert shown.manifest is not None
    for page in shown.attempts:
        assert sha256_bytes((v1.path / (page.git.patch or "")).read_bytes()) == page.git.patch_sha256
        assert v1.attempt_patch(page.number) == v1.path / (page.git.patch or "")
    assert sha256_file(v1.environment) == shown.manifest.environment.packages_sha256
    assert Result.read(v1.attempt_result(1)).error is not None


def test_the_tables_of_version_1_are_read(v1: RunDir) -> None:
    assert [row["epoch"] for row in history.read(v1.history)] == [1, 2, 3]
    found = events.read(v1.events)
    assert [event["seq"] for event in found.events] == [1, 2, 3, 4, 5, 6]
    assert len(found.problems) == 1
    table = pq.read_table(v1.predictions("val"))
    assert table.column_names == [
        *("image_id", "sha256", "group", "label"),
        *(f"logit_{name}" for name in CLASSES),
        *(f"prob_{name}" for name in CLASSES),
    ]


def test_the_documentation_explains_every_file(v1: RunDir) -> None:
    page = (SPECIMENS.parents[1] / "docs" / "run-directory.md").read_text()
    for path in v1.path.iterdir():
        name = path.name.replace("_val.", "_<split>.") + ("/" if path.is_dir() else "")
        assert f"| `{name}` |" in page


def test_version_1_is_listed_and_told(v1: RunDir, tmp_path: Path) -> None:
    shutil.copytree(v1.path, tmp_path / v1.id)  # a list of runs leaves its index beside them
    (summary,) = list_runs(tmp_path)
    assert (summary.id, summary.problem, summary.job) == (v1.id, None, "tiny-baseline-s7")
    assert summary.total_seconds is not None
    assert summary.duration_seconds is not None
    assert summary.total_seconds > summary.duration_seconds
    reading = v1.read()
    assert reading.manifest is not None
    assert reading.result is not None
    assert "Seed:                 7\n" in manifest_block(reading.manifest, "runs")
    assert "val/auroc undefined" in results_block(reading.result, "runs", "train.log")
