"""When two runs are the same: bits where machine and packages are, a tolerance where they are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.record.environment import Environment
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.judging import Judged, judge
from ctexp.reproduction.recorded import Recorded, recorded
from ctexp.reproduction.verdict import Difference
from tests.judged import a_run
from tests.record import samples


def pair(folder: Path, *, seed: int = 1, **other: Any) -> tuple[Recorded, RunDir]:
    """A run, and another that is set up the same: with the same seed, or not."""
    one = a_run(folder, "net", 1)
    its = other | {"seed": seed}
    return recorded(one), a_run(folder, "net", **its)


def judged(of: Recorded, run: RunDir, tolerance: float = 0.02) -> Judged:
    return judge(of, run, tolerance, weights=False)


def counted(found: Judged) -> list[Difference]:
    return [one for one in found.differences if one.counts]


def test_the_same_bits_are_equal(tmp_path: Path) -> None:
    found = judged(*pair(tmp_path))
    assert (found.outcome, found.lenient_because, found.differences) == ("equal", [], [])
    assert {one.what: one.identical for one in found.compared} == {
        "predictions of val": True,
        "metrics of val": True,
        "history": True,
    }


def test_one_bit_is_a_difference_on_the_same_machine(tmp_path: Path) -> None:
    of, run = pair(tmp_path)
    metrics = json.loads(run.metrics.read_text())
    value = metrics["splits"]["val"]["metrics"]["val/macro_f1"]["value"]
    metrics["splits"]["val"]["metrics"]["val/macro_f1"]["value"] = value + 1e-15
    run.metrics.write_text(json.dumps(metrics))
    found = judged(of, run)
    (difference,) = counted(found)
    assert (difference.area, difference.what) == ("metrics", "val/macro_f1.value")
    assert difference.recorded == repr(value)
    assert found.outcome == "different"


def test_elsewhere_a_tolerance_decides_and_all_that_differs_is_listed(tmp_path: Path) -> None:
    machine = Environment(
        **samples.ENVIRONMENT.model_dump() | {"cpu": "another", "packages_sha256": "0" * 64}
    )
    of, run = pair(tmp_path, device="another, 8 threads", environment=machine)
    metrics = json.loads(run.metrics.read_text())
    entry = metrics["splits"]["val"]["metrics"]["val/macro_f1"]
    entry["value"] += 0.015
    run.metrics.write_text(json.dumps(metrics))
    run.environment.write_text("numpy==2.2.0\n")
    run.history.write_text("epoch,train/loss\n1,0.5\n")

    found = judged(of, run)
    assert (found.outcome, counted(found)) == ("within_tolerance", [])
    assert found.lenient_because == [
        "other packages (1)",
        "another processor or GPU, or another number of threads",
    ]
    listed = {one.what: (one.recorded, one.found) for one in found.differences}
    assert listed["numpy"] == ("2.1.0", "2.2.0")
    assert listed["processor"][1] == "another"
    assert listed["computed on"] == ("a computer", "another, 8 threads")

    (too_far,) = counted(judged(of, run, tolerance=0.01))
    assert too_far.what == "val/macro_f1.value"


def test_other_answers_are_told_by_how_many_images(tmp_path: Path) -> None:
    of, run = pair(tmp_path, seed=2)
    found = judged(of, run)
    areas = {one.area for one in counted(found)}
    assert areas == {"configuration", "predictions", "metrics"}
    predictions = next(one for one in found.compared if one.what == "predictions of val")
    assert (predictions.number, predictions.unit) == (80, "images")
    assert 0 < predictions.changed < 80


def test_another_source_split_or_end_counts_on_every_machine(tmp_path: Path) -> None:
    git = samples.GIT.model_copy(update={"commit": "f" * 40})
    found = judged(*pair(tmp_path, git=git, device="another", state="timeout"))
    whats = {(one.area, one.what) for one in counted(found)}
    assert {("source", "commit"), ("source", "sha256 of the patch"), ("outcome", "how it ended")} <= whats


@pytest.mark.parametrize("file", ["predictions_val.parquet", "metrics.json", "history.csv"])
def test_a_damaged_file_of_the_record_is_a_difference_and_no_crash(tmp_path: Path, file: str) -> None:
    of, run = pair(tmp_path)
    (of.run.path / file).write_bytes(b"epoch\x00,\n{")
    found = judged(of, run)
    assert "record" in {one.area for one in counted(found)}
