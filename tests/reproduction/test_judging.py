"""When two runs are the same: bits where machine and packages are, a tolerance where they are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import DataError
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


def edited(run: RunDir, file: str, key: str, value: Any) -> None:
    """A number of a document of a record, changed by hand."""
    path = run.path / file
    document = json.loads(path.read_text())
    place = document
    *groups, last = key.split(" ")
    for group in groups:
        place = place[group]
    place[last] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("file", "key", "value", "area"),
    [
        ("result.json", "epochs", 300, "metrics"),
        ("result.json", "metrics val/macro_f1 value", 0.99, "metrics"),
        ("calibration.json", "temperature", 9.0, "metrics"),
        ("metrics.json", "splits val metrics val/macro_f1 value", float("nan"), "metrics"),
        ("metrics.json", "splits val metrics val/miss_rate value", True, "metrics"),
        ("manifest.json", "seed", 7, "record"),
        ("manifest.json", "model name", "another", "record"),
        ("manifest.json", "preprocessing image_size", 512, "record"),
        ("manifest.json", "hyperparameters", {"trainer.monitor": "val/loss"}, "record"),
        ("manifest.json", "dataset split", "clean", "data"),
    ],
)
def test_what_a_record_says_and_its_run_does_not_give_is_told(
    tmp_path: Path, file: str, key: str, value: Any, area: str
) -> None:
    run, other = a_run(tmp_path), a_run(tmp_path)
    edited(run, file, key, value)
    found = judged(recorded(run), other)
    assert [one.area for one in counted(found)] == [area]


def test_no_tolerance_takes_what_is_no_number_for_one(tmp_path: Path) -> None:
    run, other = a_run(tmp_path), a_run(tmp_path, device="another")
    assert judged(recorded(run), other).outcome == "equal"
    edited(run, "metrics.json", "splits val metrics val/macro_f1 value", float("nan"))
    assert [one.recorded for one in counted(judged(recorded(run), other))] == ["nan"]


def test_an_epoch_that_stands_there_twice_is_damage(tmp_path: Path) -> None:
    of, run = pair(tmp_path)
    for one in (of.run, run):
        one.history.write_text("epoch,train/loss\n1,0.5\n")
    of.run.history.write_text("epoch,train/loss\n1,0.1\n1,0.5\n")
    (difference,) = counted(judged(of, run))
    assert difference.area == "record"
    assert "its epochs do not rise" in difference.what


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
    assert areas == {"configuration", "record", "predictions", "metrics"}
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
    run.environment.unlink()
    with pytest.raises(DataError, match=r"environment\.txt: cannot be read"):
        judged(of, run)
