"""An online tracker catches up in the morning, within a bound; what is kept offline stays offline."""

import subprocess
import time
from pathlib import Path

import pytest

from ctexp.queue.morning import tracker
from ctexp.record.manifest import Tracker
from ctexp.record.run_dir import RunDir
from tests.record import samples


def a_run(runs: Path, mode: str | None, kind: str = "wandb", *, synced: bool = False) -> RunDir:
    run = samples.run_of(runs, tracker=Tracker(kind=kind, run_id="id-1", mode=mode))
    segment = run.path / "wandb" / "run-20261121_050417-id-1"
    segment.mkdir(parents=True)
    (segment / "run-id-1.wandb").touch()
    if synced:
        (segment / "run-id-1.wandb.synced").touch()
    return run


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that are started, by their words; `true` in place of each but the ones that hang."""
    words: list[list[str]] = []

    def started(said: list[str], folder: Path) -> "subprocess.Popen[bytes]":
        words.append(said)
        stands_for = ["sleep", "60"] if said[-1].startswith("hang") else ["true"]
        return subprocess.Popen(stands_for, cwd=folder, stdin=subprocess.PIPE, start_new_session=True)

    monkeypatch.setattr(tracker, "started", started)
    return words


def test_only_what_is_online_and_has_not_arrived_is_pushed(tmp_path: Path, begun: list[list[str]]) -> None:
    behind = a_run(tmp_path, "online")
    others = [
        a_run(tmp_path, "online", synced=True),
        a_run(tmp_path, "offline"),
        a_run(tmp_path, None, kind="csv"),
    ]
    assert tracker.sync(tmp_path, [behind, *others]) == []
    (words,) = begun
    assert Path(words[0]).name == "inv"
    assert words[1:] == ["wandb-sync", "--run", behind.id]


def test_a_tracker_that_hangs_is_left_for_later(tmp_path: Path, begun: list[list[str]]) -> None:
    names = ["hang-one", "hang-two", "hang-three"]
    runs = [
        samples.run_of(tmp_path, name, tracker=Tracker(kind="wandb", run_id="i", mode="online"))
        for name in names
    ]
    for run in runs:
        (run.path / "wandb" / "offline-run-1").mkdir(parents=True)
    began = time.monotonic()
    (line,) = tracker.sync(tmp_path, runs, patience=0.5)
    assert time.monotonic() - began < 3
    assert line == "3 of 3 runs did not reach the tracker: scripts/inv wandb-sync tries again"
    assert len(begun) == 1  # for the others no time was left
