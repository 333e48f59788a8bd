"""What a list of runs says of each."""

import json
import time
from pathlib import Path
from typing import Any

from ctexp.record import writing
from ctexp.record.index import RunSummary, list_runs
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from tests.record import samples


def test_a_run_is_listed_with_what_matters(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "origin": Origin(plan="night", queue="night_1", job="resnet50-s42", parent="cv_1"),
        "dataset": samples.manifest("r").dataset.model_copy(
            update={"split": "kfold", "fold": 2, "sample": 9, "split_sha256": samples.HASH}
        ),
        "device": "NVIDIA GeForce RTX 4090",
        "workload": {"trainer.accumulate_grad_batches": 4},
    }
    run = samples.run_of(tmp_path, **changes)
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
        total_seconds=725.333,
        queue="night_1",
        plan="night",
        job="resnet50-s42",
        parent="cv_1",
        split="kfold",
        fold=2,
        sample=9,
        split_sha256=samples.HASH,
        catalog_sha256=samples.HASH,
        config_sha256=samples.HASH,
        parameters=23516228,
        device="NVIDIA GeForce RTX 4090",
        batch_size=128,
    )


def test_a_resumed_run_lasted_as_long_as_all_its_attempts_whose_end_was_seen(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path, state="interrupted")
    writing.resume(run, samples.attempt(run.id, 2), b"")
    (found,) = list_runs(tmp_path)
    assert (found.state, found.duration_seconds, found.total_seconds) == ("interrupted", None, 725.333)
    # The second is killed, the third comes to an end.
    writing.resume(run, samples.attempt(run.id, 3), b"")
    samples.finish(run, attempt=3, duration_seconds=100.0)
    (found,) = list_runs(tmp_path)
    assert (found.state, found.duration_seconds, found.total_seconds) == ("finished", 100.0, 825.333)


def test_a_damaged_record_is_listed_and_hides_no_other(tmp_path: Path) -> None:
    sound = samples.run_of(tmp_path, "sound")
    broken = samples.run_of(tmp_path, "broken")
    broken.manifest.write_bytes(b"\0" * 100)
    newer = samples.run_of(tmp_path, "newer")
    newer.manifest.write_text(json.dumps({"schema_version": 99}))
    empty = RunDir.create(tmp_path, "empty")
    for _ in range(2):
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


def test_facts_that_a_database_cannot_hold_are_listed_as_they_are(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path, seed=2**70, description="a\ttab, an Ä and a 𝛼")
    odd = RunDir(samples.run_of(tmp_path).path.rename(tmp_path / "caf\udce9"))
    found = {listed.id: listed for listed in list_runs(tmp_path)}
    assert found[run.id].seed == 2**70
    assert found[run.id].description == "a\ttab, an Ä and a 𝛼"
    assert found[odd.id].path == odd.path
    odd.manifest.unlink()  # then nothing says that it is a run
    assert [listed.id for listed in list_runs(tmp_path)] == [run.id]


def test_looking_makes_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "runs") == []
    assert not (tmp_path / "runs").exists()


def test_a_thousand_runs_are_listed_within_two_seconds(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    documents = {path.name: path.read_bytes() for path in (run.manifest, run.result)}
    for n in range(1000):
        folder = tmp_path / f"copy_29991231-{n:06d}_aaaaaa"
        folder.mkdir()
        (folder / "lock").touch()
        for name, content in documents.items():
            (folder / name).write_bytes(content)
    begin = time.process_time()  # not what other processes of a busy machine take
    found = list_runs(tmp_path)
    took = time.process_time() - begin
    assert len(found) == 1001
    assert found[-1].id == run.id
    assert took < 2
