"""A run on two devices, as people start it: the same numbers, and no process that outlives it or hangs."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from ctexp.evaluation.predictions import Predictions
from ctexp.record.manifest import Attempt
from ctexp.record.run_dir import RunDir
from tests.project import INV, TINY, add_tiny_set, inv, make_project, newest
from tests.training.test_ranks import helpers
from tests.waiting import until

pytestmark = pytest.mark.slow

SMALL = tuple(word for word in TINY if not word.startswith("trainer.max_epochs"))

SHORT = (
    *("trainer.max_epochs=1", "scheduler=constant", "scheduler.warmup_epochs=0"),
    *("optimizer=sgd", "optimizer.lr=0.01", "model.dropout=0"),
)
LONG = ("trainer.max_epochs=400", "trainer.early_stopping=null")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = make_project(tmp_path / "project")
    add_tiny_set(made)
    return made


def started(project: Path) -> tuple["subprocess.Popen[bytes]", RunDir]:
    """A long training on two devices, an epoch of which is over, in a group of its own."""
    words = [str(INV), "train", *SMALL, *LONG, "trainer.devices=2"]
    with (project / "said").open("w") as said:
        running = subprocess.Popen(
            words, cwd=project, stderr=said, stdout=subprocess.DEVNULL, start_new_session=True
        )
    until(lambda: any((project / "runs").glob("*/history.csv")), seconds=120)
    run = newest(project / "runs")
    until(lambda: (run.checkpoints / "last.ckpt").exists(), seconds=120)
    return running, run


def test_its_metrics_and_predictions_are_those_of_one_device(project: Path) -> None:
    inv(project, "train", *SMALL, *SHORT)
    one = newest(project / "runs")
    inv(project, "train", *SMALL, *SHORT, "trainer.devices=2")
    two = newest(project / "runs")
    expected, found = (Predictions.read(run.predictions("val")) for run in (one, two))
    assert found.image_id == expected.image_id
    assert found.logits == pytest.approx(expected.logits, abs=1e-4)
    measured = [json.loads(run.metrics.read_text())["splits"]["val"]["metrics"] for run in (one, two)]
    assert measured[0].keys() == measured[1].keys()
    for name in measured[0]:
        assert measured[1][name]["value"] == pytest.approx(measured[0][name]["value"], abs=1e-3, nan_ok=True)
    assert [Attempt.read(run.attempt(1)).devices for run in (one, two)] == [1, 2]
    heads = [run.history.read_text().splitlines()[0] for run in (one, two)]
    assert heads[0] == heads[1]


def test_who_asks_the_whole_group_for_an_end_gets_one(project: Path) -> None:
    running, run = started(project)
    os.killpg(running.pid, signal.SIGTERM)
    assert running.wait(60) == 143
    assert run.state() == "interrupted"
    assert not psutil.pid_exists(running.pid) or helpers(psutil.Process(running.pid)) == []


def test_a_run_that_is_killed_leaves_no_helper_and_goes_on_alone(project: Path) -> None:
    running, run = started(project)
    (helper,) = helpers(psutil.Process(running.pid))
    running.kill()
    running.wait()
    helper.wait(30)
    assert run.state() == "interrupted"
    again = subprocess.Popen(
        (INV, "train", "--resume", run.id, "trainer.devices=1"), cwd=project, stderr=subprocess.DEVNULL
    )
    until(lambda: run.attempt(2).exists(), seconds=120)
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 143
    (deviation,) = Attempt.read(run.attempt(2)).deviations
    assert (deviation.what, deviation.before, deviation.after) == ("devices", 2, 1)
    said = inv(project, "train", "--resume", run.id, "optimizer.lr=1", code=2)
    assert "trainer.devices alone may be another number" in said.stderr


def test_a_helper_that_is_killed_ends_the_run_and_the_record_says_so(project: Path) -> None:
    running, run = started(project)
    (helper,) = helpers(psutil.Process(running.pid))
    helper.kill()
    assert running.wait(60) == 1
    said = (project / "said").read_text()
    result = run.read().result
    assert result is not None
    assert (result.state, result.failure) == ("failed", "ProcessLost")
    assert "process 2 of 2 of this training was killed by SIGKILL" in said
    assert "Traceback" not in said
