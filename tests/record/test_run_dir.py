import json
import multiprocessing
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, DataError, StorageError, UsageError
from ctexp.record.run_dir import RUN_ID, RunDir
from tests.record import samples

MOMENT = datetime(2026, 11, 21, 5, 4, 17, tzinfo=UTC)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[RunDir]:
    """A run whose lock another process holds."""
    run = samples.begun(RunDir.create(tmp_path / "runs", "resnet50"))
    hold = (
        "import sys, pathlib; from ctexp.record.run_dir import RunDir\n"
        "lock = RunDir(pathlib.Path(sys.argv[1])).lock(); lock.acquire(); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield run
        holder.kill()


def test_a_run_is_named_after_its_name_and_the_utc_time(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "runs", "resnet50", MOMENT)
    assert run.path.parent == tmp_path / "runs"
    assert RUN_ID.fullmatch(run.id)
    assert run.id.startswith("resnet50_20261121-050417_")
    assert sorted(path.name for path in run.path.iterdir()) == ["attempts", "checkpoints", "figures"]


def test_a_hundred_starts_in_one_second_get_a_hundred_directories(tmp_path: Path) -> None:
    assert len({RunDir.create(tmp_path, "a", MOMENT).id for _ in range(100)}) == 100


def test_a_taken_id_is_never_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("a" * 6 + "a" * 6 + "b" * 6)
    monkeypatch.setattr(secrets, "choice", lambda _: next(letters))
    first = RunDir.create(tmp_path, "a", MOMENT)
    (first.path / "config.yaml").write_text("mine")
    second = RunDir.create(tmp_path, "a", MOMENT)
    assert (first.id[-6:], second.id[-6:]) == ("aaaaaa", "bbbbbb")
    assert not second.config.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "a b", "-a", "a\n", "a" * 65, "latest.", "ä"])
def test_a_name_that_could_harm_makes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.name"):
        RunDir.create(tmp_path / "runs", name)
    assert not (tmp_path / "runs").exists()


def test_a_file_in_the_way_of_the_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(StorageError, match="a file is in the way"):
        RunDir.create(tmp_path / "runs", "a")
    with pytest.raises(StorageError, match="a file is in the way"):
        RunDir.create(tmp_path / "runs" / "deeper", "a")


@pytest.mark.parametrize("state", ["finished", "interrupted", "diverged", "oom", "timeout", "failed"])
def test_a_valid_result_tells_the_state(state: str, tmp_path: Path) -> None:
    assert samples.run_of(tmp_path, state=state).state() == state


def test_a_run_is_running_while_another_process_holds_its_lock(held: RunDir) -> None:
    assert held.state() == "running"
    with pytest.raises(Busy, match=held.id):
        held.lock().acquire()


def test_a_run_whose_process_is_gone_was_interrupted_whatever_its_lock_file_says(tmp_path: Path) -> None:
    run = samples.begun(RunDir.create(tmp_path, "a"))
    (run.path / "lock").write_text(json.dumps({"pid": 1, "command": "init", "since": samples.BEGIN}))
    assert run.state() == "interrupted"


def test_a_finished_run_stays_finished_while_it_is_evaluated(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    with run.lock():
        assert run.state() == "finished"


@pytest.mark.parametrize("content", ["", "\0" * 50, "{}", '{"state": "finished"}'])
def test_a_damaged_result_is_no_end(content: str, tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    run.result.write_text(content)
    reading = run.read()
    assert reading.state == "interrupted"
    assert all("result.json" in problem for problem in reading.problems)
    assert reading.problems


def test_a_result_of_a_newer_version_is_not_taken_for_an_interruption(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    run.result.write_text(json.dumps({"schema_version": 2, "state": "blessed"}))
    assert run.state() == "unreadable"


def test_a_damaged_manifest_makes_a_run_unreadable_and_says_why(tmp_path: Path) -> None:
    run = samples.run_of(tmp_path)
    run.manifest.write_text("{")
    reading = run.read()
    assert reading.state == "unreadable"
    assert "manifest.json" in reading.problems[0]


@pytest.mark.parametrize("made", ["nothing", "file", "other folder"])
def test_only_run_directories_are_opened(made: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if made == "file":
        path.touch()
    elif made == "other folder":
        path.mkdir()
    with pytest.raises(DataError, match="run directory"):
        RunDir.open(path)


def _create(runs: Path) -> str:
    return RunDir.create(runs, "a", MOMENT).id


@pytest.mark.slow
def test_many_processes_starting_at_once_share_nothing(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        ids = pool.map(_create, [tmp_path / "runs"] * 100)
    assert len(set(ids)) == 100


def test_a_cross_validation_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "cv_20260101-000000_abc123"
    folder.mkdir()
    (folder / "cross_validation.json").write_text("{}")
    with pytest.raises(DataError, match="a cross-validation, not a run"):
        RunDir.open(folder)
