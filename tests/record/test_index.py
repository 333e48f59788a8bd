import json
import time
from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.record.index import RunSummary, list_runs, order, select
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from tests.record import samples


def ids(runs: list[RunSummary]) -> list[str]:
    return [run.name for run in runs]


@pytest.fixture
def listed(tmp_path: Path) -> list[RunSummary]:
    """Four runs: two finished with different accuracy, one failed, one that never ended."""
    for name, state, accuracy, tags in [
        ("a", "finished", 0.7, ("night",)),
        ("b", "finished", 0.9, ("night", "best")),
        ("c", "failed", None, ("night",)),
    ]:
        run = samples.begun(RunDir.create(tmp_path, name), name=name, tags=tags)
        metrics = {"val/accuracy": Measurement(value=accuracy)} if accuracy else {}
        failure = None if accuracy else "DataError"
        samples.finish(run, state=state, exit_code=0 if accuracy else 3, failure=failure, metrics=metrics)
    samples.begun(RunDir.create(tmp_path, "d"), name="d", tags=())
    return order(list_runs(tmp_path), "name")


def test_a_run_is_listed_with_what_matters(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    (found,) = list_runs(tmp_path)
    assert found == RunSummary(
        id=run.id,
        path=run.path,
        name="resnet50",
        state="finished",
        created=samples.BEGIN,
        started=samples.BEGIN,
        model="resnet50",
        features=None,
        dataset="chest_ct",
        seed=42,
        tags=("baseline", "night-1"),
        description="the baseline",
        epochs=30,
        duration_seconds=725.333,
        exit_code=0,
        commit=samples.COMMIT,
        dirty=True,
        metrics={"val/accuracy": 0.9021, "val/macro_f1": 0.8874, "val/loss": 0.00042, "val/auroc": None},
        intervals={"val/accuracy": (0.8642, 0.9304), "val/macro_f1": (0.8431, 0.9188)},
        problem=None,
    )


def test_runs_are_filtered_by_all_that_is_asked(listed: list[RunSummary]) -> None:
    assert ids(select(listed)) == ["a", "b", "c", "d"]
    assert ids(select(listed, tags=["night"])) == ["a", "b", "c"]
    assert ids(select(listed, tags=["night", "best"])) == ["b"]
    assert ids(select(listed, states=["failed", "interrupted"])) == ["c", "d"]
    assert ids(select(listed, metric="val/accuracy", name="a")) == ["a"]


def test_runs_are_sorted_by_any_column_and_the_unknown_come_last(listed: list[RunSummary]) -> None:
    assert ids(order(listed, "val/accuracy")) == ["a", "b", "c", "d"]
    assert ids(order(listed, "val/accuracy", descending=True)) == ["b", "a", "c", "d"]
    assert ids(order(listed, "name", descending=True)) == ["d", "c", "b", "a"]
    assert ids(order(listed, "tags"))[0] == "d"
    with pytest.raises(UsageError, match="val/acuracy") as caught:
        order(listed, "val/acuracy")
    assert "'val/accuracy'" in caught.value.hint


def test_a_damaged_record_is_listed_and_hides_no_other(tmp_path: Path) -> None:
    sound = samples.run_of(tmp_path, "sound")
    broken = samples.run_of(tmp_path, "broken")
    broken.manifest.write_bytes(b"\0" * 100)
    newer = samples.run_of(tmp_path, "newer")
    newer.manifest.write_text(json.dumps({"schema_version": 99}))
    empty = RunDir.create(tmp_path, "empty")
    found = {run.id: run for run in list_runs(tmp_path)}
    assert {run.id: found[run.id].state for run in (sound, broken, newer, empty)} == {
        sound.id: "finished",
        broken.id: "unreadable",
        newer.id: "unreadable",
        empty.id: "interrupted",
    }
    assert "newer ctexp" in (found[newer.id].problem or "")
    assert "manifest.json" in (found[broken.id].problem or "")
    assert found[broken.id].name == "broken"


def test_a_thousand_runs_are_listed_within_two_seconds(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    documents = {path.name: path.read_bytes() for path in (run.manifest, run.result)}
    for n in range(1000):
        folder = tmp_path / f"copy_20261122-{n:06d}_aaaaaa"
        folder.mkdir()
        (folder / "lock").touch()
        for name, content in documents.items():
            (folder / name).write_bytes(content)
    begin = time.perf_counter()
    found = list_runs(tmp_path)
    took = time.perf_counter() - begin
    assert len(found) == 1001
    assert found[-1].id == run.id
    assert took < 2
