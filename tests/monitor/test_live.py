"""Following trainings: each change once, until they end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.monitor.live import Change, follow, running
from ctexp.record.history import History
from ctexp.record.run_dir import RunDir
from tests.judged import a_run
from tests.monitor.made import rows


@contextmanager
def training(runs: Path, name: str = "net") -> Iterator[tuple[RunDir, bytes]]:
    """A run at work, whose end is kept aside."""
    run = a_run(runs, name)
    end = run.result.read_bytes()
    run.result.unlink()
    run.history.unlink()
    with run.lock():
        yield run, end


def said(changes: list[Change]) -> list[tuple[str, str]]:
    return [(one.state, one.finding.rule if one.finding else one.said) for one in changes]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def test_changes_are_told_once_and_the_end_ends_it(tmp_path: Path, runs: Path) -> None:
    slow = [2.0] * 8 + [0.1] * 12  # of three seconds an epoch
    epochs = iter(rows(20, seconds=3.0, input_seconds=slow))
    with training(runs) as (run, end):
        history = History(run.history)
        assert [its.id for its in running(runs)] == [run.id]

        def next_epoch() -> None:
            if (row := next(epochs, None)) is not None:
                history.append(row)
            else:
                files.write_bytes(run.result, end)

        changes = list(follow(tmp_path, runs, pause=next_epoch))

    told = said(changes)
    assert told[0] == ("follows", "")
    assert told[-1] == ("ended", "finished")
    assert told.count(("began", "slow_input")) == 1
    assert told.count(("passed", "slow_input")) == 1
    assert running(runs) == []


def test_what_begins_meanwhile_is_followed_too(tmp_path: Path, runs: Path) -> None:
    with training(runs, "first") as (first, end), training(runs, "second") as (second, later):
        kept = second.path.rename(tmp_path / second.id)
        steps = iter(range(9))

        def pause() -> None:
            match next(steps):
                case 0:
                    kept.rename(second.path)
                case 1:
                    files.write_bytes(first.result, end)
                case 2:
                    files.write_bytes(second.result, later)

        changes = list(follow(tmp_path, runs, pause=pause))

    assert [one.run for one in changes if one.state == "ended"] == [first.id, second.id]


def test_only_what_is_named_is_followed(tmp_path: Path, runs: Path) -> None:
    with training(runs, "first") as (first, end), training(runs, "second"):
        changes = list(follow(tmp_path, runs, [first.id], pause=lambda: files.write_bytes(first.result, end)))
    assert {one.run for one in changes} == {first.id}


def test_a_run_that_is_killed_is_told_as_interrupted(tmp_path: Path, runs: Path) -> None:
    with training(runs) as (run, _):
        lock = run.lock()
        del lock
        watching = follow(tmp_path, runs, pause=lambda: None)
        assert next(watching).state == "follows"
    assert said(list(watching))[-1] == ("ended", "interrupted")


def test_a_run_that_is_resumed_is_followed_again_and_one_that_vanished_is_told(
    tmp_path: Path, runs: Path
) -> None:
    with training(runs, "first") as (first, end), training(runs, "second") as (second, _):
        files.write_bytes(first.result, end)
        kept = first.result.rename(tmp_path / "result.json")
        steps = iter(range(9))

        def pause() -> None:
            match next(steps):
                case 0 | 2:
                    kept.rename(first.result)
                case 1:
                    first.result.rename(kept)
                case 3:
                    second.path.rename(tmp_path / second.id)

        changes = list(follow(tmp_path, runs, pause=pause))

    ways = [(one.run, one.state, one.said) for one in changes if one.state in {"follows", "ended"}]
    again = [(first.id, "follows", ""), (first.id, "ended", "finished")]
    assert [way for way in ways if way[0] == first.id] == [*again, *again]
    assert ways[-1] == (second.id, "ended", "its directory is gone")


def test_nothing_trains(tmp_path: Path, runs: Path) -> None:
    a_run(runs)
    assert list(follow(tmp_path, runs)) == []
