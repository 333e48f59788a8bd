"""A tracker takes what it can get; whatever it does, training goes on and ends in time."""

import csv
import socket
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from ctexp.config import reading
from ctexp.config.compose import compose
from ctexp.core import clock
from ctexp.trackers.background import Background
from ctexp.trackers.choosing import make_trackers
from ctexp.trackers.protocol import Outcome, TrackedRun, Values
from tests.project import HERE
from tests.trackers.told import NOTHING, logger, outcome, tracked


@pytest.mark.parametrize("kind", ["wandb", "mlflow", "tensorboard", "comet", "csv", "none"])
def test_a_tracker_reads_what_it_goes_by_before_its_library_is_loaded(kind: str) -> None:
    """A short run ends sooner than that: it would say of `logger.project` that nothing has read it."""
    settings = compose([f"logger={kind}"], HERE).settings
    make_trackers(settings.logger, pytest.fail)
    missed = {key for key in reading.unread(settings) if key.startswith("logger.")}
    assert {key for key in missed if not reading.reason(key, settings)} <= {"logger.timeout"}


class Stubborn:
    """A tracker that does what a test tells it to."""

    title = "Stubborn"
    later = "scripts/inv wandb-sync"

    def __init__(self, error: Exception | None = None, gate: threading.Event | None = None) -> None:
        self.epochs: list[int] = []
        self._error = error
        self._gate = gate

    def start(self, _: TrackedRun) -> None:
        if self._gate is not None:
            self._gate.wait(30)
        if self._error is not None:
            raise self._error

    def log(self, _: Values, epoch: int, moment: datetime) -> None:  # noqa: ARG002
        self.epochs.append(epoch)

    def finish(self, _: Outcome) -> None:
        self.epochs.append(-1)


def test_values_arrive_in_order(tmp_path: Path) -> None:
    tracker = Stubborn()
    warnings: list[str] = []
    background = Background([tracker], 10, warnings.append)
    background.start(tracked(tmp_path))
    for epoch in (1, 2, 3):
        background.log({"val/loss": 0.5}, epoch)
    background.finish(NOTHING)
    assert tracker.epochs == [1, 2, 3, -1]
    assert not warnings


def test_a_failing_tracker_is_named_once_and_left_alone(tmp_path: Path) -> None:
    warnings: list[str] = []
    background = Background([Stubborn(RuntimeError("quota"))], 10, warnings.append)
    background.start(tracked(tmp_path))
    background.log({"val/loss": 0.5}, 1)
    background.finish(NOTHING)
    assert len(warnings) == 1
    assert "RuntimeError: quota" in warnings[0]


def test_one_tracker_that_hangs_and_one_that_fails_keep_nothing_from_a_third(tmp_path: Path) -> None:
    gate = threading.Event()
    whole = Stubborn()
    warnings: list[str] = []
    trackers = [Stubborn(gate=gate), Stubborn(RuntimeError("quota")), whole]
    background = Background(trackers, 0.3, warnings.append)
    began = time.monotonic()
    background.start(tracked(tmp_path))
    background.log({"val/loss": 0.5}, 1)
    background.finish(NOTHING)
    assert time.monotonic() - began < 5
    assert whole.epochs == [1, -1]
    assert sorted("quota" in line for line in warnings) == [False, True]
    gate.set()


def test_a_hanging_tracker_costs_its_bound_and_no_more(tmp_path: Path) -> None:
    gate = threading.Event()
    warnings: list[str] = []
    background = Background([Stubborn(gate=gate)], 0.2, warnings.append)
    began = time.monotonic()
    background.start(tracked(tmp_path))
    background.log({"val/loss": 0.5}, 1)
    background.finish(NOTHING)
    assert time.monotonic() - began < 5
    gate.set()
    assert len(warnings) == 1
    assert "wandb-sync" in warnings[0]


def test_csv_is_tidy_and_appended_to(tmp_path: Path) -> None:
    for epoch in (1, 2):
        (tracker,) = make_trackers(logger("csv"), pytest.fail)
        tracker.start(tracked(tmp_path))
        tracker.log({"val/loss": 0.5, "val/mcc": None}, epoch, clock.now())
        tracker.finish(outcome({"val/accuracy": 0.75}))
    rows = list(csv.reader((tmp_path / "tracker" / "metrics.csv").read_text().splitlines()))
    one = [["val/loss", "0.5"], ["final/val/accuracy", "0.75"]]
    assert rows[0] == ["epoch", "name", "value"]
    assert [row[1:] for row in rows[1:]] == one + one


def test_wandb_offline_keeps_a_segment_named_by_its_attempt(tmp_path: Path) -> None:
    background = Background(make_trackers(logger("wandb"), pytest.fail), 60, pytest.fail)
    background.start(tracked(tmp_path))
    background.log({"val/loss": 0.5, "val/mcc": None}, 1)
    background.finish(outcome({"val/accuracy": 0.75}, confusion=[[1, 0, 0, 0]] * 4))
    (segment,) = (tmp_path / "wandb").glob("offline-run-*-tiny-1")
    assert (segment / "run-tiny-1.wandb").stat().st_size > 0


def test_a_service_that_accepts_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread waits for W&B, the run does not; what was logged ends up in an offline segment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
        warnings: list[str] = []
        background = Background(
            make_trackers(logger("wandb", mode="online", timeout=1.0), warnings.append), 40, warnings.append
        )
        background.start(tracked(tmp_path))
        background.log({"val/loss": 0.5}, 1)
        assert warnings == []  # the run is on its way before the thread has given the service up
        background.finish(NOTHING)
    assert len(warnings) == 1
    assert "does not answer" in warnings[0]
    assert list((tmp_path / "wandb").glob("offline-run-*"))
