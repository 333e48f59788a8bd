"""Attempts with the real programs: a training that is stopped goes on as if it had not been."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ctexp.core.locks import passed_on
from ctexp.queue import left
from ctexp.queue.journal import Event
from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.project import INV, TINY, add_tiny_set, inv, make_project
from tests.queue.attempts import PROGRAM
from tests.queue.written import Writer, job, queue
from tests.waiting import until

WORDS = (
    *(word for word in TINY if "max_epochs" not in word),
    *("trainer.max_epochs=20", "trainer.early_stopping=null", "model.dropout=0.1", "seed=1"),
)


class RealNight:
    """A queue in a project of its own."""

    def __init__(self, project: Path, verb: str = "train") -> None:
        self.project, self.verb = project, verb
        self.queue = queue(project / "runs", [job("a", verb=verb)], grace_seconds=60.0, root=str(project))
        self.writer = Writer(self.queue)
        self.begin()

    def begin(self) -> None:
        self.writer.begin(pid=os.getpid(), closes_uptime=None)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        nobody = {key: value for key, value in os.environ.items() if not key.startswith("CTEXP_")}
        environment = nobody | {"CTEXP_QUEUE_DIR": str(self.queue.path)} | options.pop("env", {})
        argv = [*PROGRAM, "run", "a-s1", "--", str(INV), self.verb, *words]
        started: subprocess.Popen[bytes] = subprocess.Popen(
            argv, cwd=self.project, env=environment, stdout=subprocess.DEVNULL, **options
        )
        return started

    def histories(self) -> list[Path]:
        """Of runs that have trained two epochs."""
        found = (self.project / "runs").glob("*/history.csv")
        return [path for path in found if path.read_text().count("\n") > 2]

    @property
    def ends(self) -> list[Event]:
        return [event for event in self.writer.journal.read() if event["kind"] == "end"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = make_project(tmp_path / "project")
    add_tiny_set(folder)
    yield folder
    torch.use_deterministic_algorithms(False)


@pytest.mark.slow
def test_one_that_was_stopped_ends_as_one_that_was_not(project: Path) -> None:
    night = RealNight(project)
    runner = night.start(*WORDS, "run.name=stopped")
    until(night.histories, 60)
    assert night.queue.beat("a-s1.1").stat().st_mtime > night.writer.queue.orders.stat().st_mtime
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(60) == 143
    night.begin()
    assert night.start(*WORDS, "run.name=stopped").wait(120) == 0
    first, second = night.ends
    assert (first["state"], first["cause"], second["state"]) == ("interrupted", "signal", "done")
    assert first["run"] == second["run"]
    assert second["metrics"]["val/macro_f1"]["value"] is not None
    document = json.loads(inv(project, "train", *WORDS, "run.name=not", "--json").stdout)
    stopped, other = (RunDir(project / "runs" / run) for run in (second["run"], document["run_id"]))
    assert essence(stopped) == essence(other)
    assert json.loads(stopped.manifest.read_text())["origin"]["job"] == "a-s1"


@pytest.mark.slow
def test_a_killed_runner_leaves_a_training_that_can_be_gone_on_with(project: Path) -> None:
    night = RealNight(project)
    runner = night.start(*WORDS, "run.name=orphan")
    until(night.histories, 60)
    runner.kill()
    runner.wait()
    [run] = (RunDir(path.parent) for path in night.histories())
    until(lambda: not run.lock().is_held(), 60)
    assert night.ends == []
    assert run.state() == "interrupted"
    result = run.read().result
    assert result is not None
    assert result.exit_code == 143
    assert (run.checkpoints / "last.ckpt").is_file()


@pytest.mark.slow
def test_the_folds_of_a_cross_validation_have_the_locks_and_the_job(project: Path) -> None:
    inv(project, "data-split", "--dataset", "tiny", "--scheme", "kfold", "--folds", "2")
    night = RealNight(project, "cross-validate")
    with night.queue.lock() as lock:
        environment, descriptors = passed_on(lock, environment={})
        words = (*TINY[:-2], "logger=none", "trainer.max_epochs=300", "run.name=cv")
        runner = night.start(*words, env=environment, pass_fds=descriptors)
    until(night.histories, 90)
    runner.kill()
    runner.wait()
    # The runner is gone, and so is this process's hold: who trains has the night's lock.
    assert night.queue.lock().is_held()
    until(lambda: not night.queue.lock().is_held(), 60)
    [record] = (project / "runs" / "cross-validations").glob("cv_*/cross_validation.json")
    [fold] = (project / "runs").glob("cv_*/manifest.json")
    whole, part = (json.loads(path.read_text())["origin"] for path in (record, fold))
    assert (whole["queue"], whole["job"], whole["parent"]) == (night.queue.id, "a-s1", None)
    assert (part["queue"], part["job"], part["parent"]) == (night.queue.id, "a-s1", record.parent.name)
    found = left.look(project / "runs", job("a", verb="cross-validate"), record.parent.name)
    assert (found.state, found.commit is not None) == (None, True)
