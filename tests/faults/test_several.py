"""A night with two devices that hold one job each: two run at once, and either may be hit."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ctexp.queue.journal import Journal
from ctexp.queue.state import Night
from tests.faults.nights import LOADED_BY_JOBS, newest, night_json, start, state
from tests.full_disk import small_disk
from tests.project import INV, TINY, add_tiny_set, call, git, make_project
from tests.queue import scripted
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SHORT = [word for word in TINY if "max_epochs" not in word]

PLAN = f"""
window: 1h
seeds: [1]
retries: 1
common: [{", ".join(SHORT)}, trainer.max_epochs=4, trainer.early_stopping=null]
reserve: {{disk: 1MB, analysis: 1m}}
limits: {{grace: 60s}}
analysis: []
experiments:
  a: {{}}
  b: {{overrides: [model.dropout=0.1]}}
  c: {{overrides: [model.dropout=0.2], needs: [a, b]}}
"""

DEVICES = """
kind: local
devices: [{name: "cpu#1", memory: 2GB}, {name: "cpu#2", memory: 2GB}]
jobs_per_device: 1
"""

HELD = """
import os, time
from pathlib import Path
from ctexp.training.kernel.module import Classifier

JOB, ROOT = os.environ["CTEXP_JOB"], Path(__file__).parent
original = Classifier.losses


def losses(self, logits, batch):
    if self.training and self.global_step >= 5 and (ROOT / "hold").exists():
        (ROOT / "hold" / JOB).touch()
        while (ROOT / "hold").exists():
            time.sleep(0.02)
        if (ROOT / "full").exists() and JOB == "a-s1":
            space = os.statvfs(ROOT / "runs")
            with open(ROOT / "runs" / "filler", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, space.f_bavail * space.f_frsize))
    return original(self, logits, batch)


Classifier.losses = losses
"""
"""A training waits in its second epoch as long as there is a folder `hold`, where it leaves its name."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("several") / "project")
    (project / ".venv").symlink_to(sys.prefix)
    add_tiny_set(project)
    (project / "faults.py").write_text(HELD)
    with (project / "tasks.py").open("a") as tasks:
        tasks.write(LOADED_BY_JOBS)
    (project / "conf" / "executor" / "local.yaml").write_text(DEVICES)
    (project / "research" / "plans").mkdir(parents=True)
    (project / "research" / "plans" / "night.yaml").write_text(PLAN)
    call(project, INV, "plan-render", "night")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a night")
    return project


class Held:
    """A night of which two trainings stand still in their second epoch."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self._hold = project / "hold"
        self._hold.mkdir()
        self._said = project.parent / "said"
        with self._said.open("w") as said:
            self.script = scripted.begun(project, stdout=said, stderr=said)
        until(lambda: len([*self._hold.iterdir()]) == 2 or self.script.poll() is not None, 600)
        assert self.script.poll() is None, self._said.read_text()

    def go_on(self) -> None:
        for path in self._hold.iterdir():
            path.unlink()
        self._hold.rmdir()

    def end(self) -> int:
        """The script's exit code."""
        code = self.script.wait(600)
        print(self._said.read_text())
        return code

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in Journal(newest(self.project).journal).read() if one["kind"] == kind]

    @property
    def night(self) -> Night:
        return state(newest(self.project))


@pytest.fixture
def held(template: Path, tmp_path: Path) -> Iterator[Held]:
    project = tmp_path / "project"
    subprocess.run(["cp", "-a", template, project], check=True)
    night = Held(project)
    yield night
    if night.script.poll() is None:
        night.script.terminate()
        night.script.wait(120)


def all_done(night: Night, attempts: dict[str, int]) -> None:
    assert {name: job.state for name, job in night.jobs.items()} == dict.fromkeys(attempts, "done")
    assert {name: len(job.attempts) for name, job in night.jobs.items()} == attempts
    for job in night.jobs.values():
        assert len({one.run for one in job.attempts}) == 1, "it goes on with its run"


def test_two_at_once_on_a_device_each_and_the_third_when_both_are_over(held: Held) -> None:
    assert {one["job"]: one["device"] for one in held.events("place")} == {"a-s1": "cpu#1", "b-s1": "cpu#2"}
    status = json.loads(call(held.project, INV, "queue-status", "--json").stdout)
    assert {one["id"]: (one["state"], one["device"]) for one in status["jobs"]} == {
        "a-s1": ("running", "cpu#1"),
        "b-s1": ("running", "cpu#2"),
        "c-s1": ("pending", None),
    }
    for begun in held.events("start"):
        runner = psutil.Process(begun["pid"])
        at_work = [runner, *runner.children(recursive=True)]
        assert sum(one.memory_info().rss for one in at_work) <= 2 * 10**9
    held.go_on()
    assert held.end() == 0
    all_done(held.night, {"a-s1": 1, "b-s1": 1, "c-s1": 1})
    ends = {one["job"]: one["uptime"] for one in held.events("end")}
    begins = {one["job"]: one["uptime"] for one in held.events("start")}
    assert begins["c-s1"] > max(ends["a-s1"], ends["b-s1"])
    assert night_json(newest(held.project))["counts"]["done"] == 3


def test_a_killed_script_is_gone_on_with_and_so_are_both_jobs(held: Held) -> None:
    held.script.kill()
    held.go_on()
    held.end()
    done = start(held.project, "night")  # which first waits for what the killed one has left
    assert done.returncode == 0, done.stdout + done.stderr
    all_done(held.night, {"a-s1": 2, "b-s1": 2, "c-s1": 1})


def test_a_killed_runner_costs_its_own_job_an_attempt_and_the_other_nothing(held: Held) -> None:
    [runner] = [one["pid"] for one in held.events("start") if one["job"] == "b-s1"]
    os.kill(runner, signal.SIGKILL)
    held.go_on()
    assert held.end() == 0
    all_done(held.night, {"a-s1": 1, "b-s1": 2, "c-s1": 1})
    [lost] = [one for one in held.events("end") if one["job"] == "b-s1" and one["attempt"] == 1]
    assert (lost["state"], lost["recovered"]) == ("interrupted", True)


def test_a_signal_reaches_both_and_the_next_start_goes_on_with_both(held: Held) -> None:
    held.script.terminate()
    held.go_on()
    assert held.end() == 143
    ends = {one["job"]: (one["state"], one["cause"]) for one in held.events("end")}
    assert ends == dict.fromkeys(("a-s1", "b-s1"), ("interrupted", "signal"))
    done = start(held.project, "night")
    assert done.returncode == 0, done.stdout + done.stderr
    all_done(held.night, {"a-s1": 2, "b-s1": 2, "c-s1": 1})


def test_both_stop_on_a_checkpoint_when_the_window_closes(template: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    subprocess.run(["cp", "-a", template, project], check=True)
    plan = PLAN.replace("window: 1h", "window: 150s").replace("grace: 60s", "grace: 20s")
    plan = plan.replace("analysis: 1m", "analysis: 10s").replace("max_epochs=4", "max_epochs=100000")
    (project / "research" / "plans" / "night.yaml").write_text(plan)
    call(project, INV, "plan-render", "night")
    done = start(project, "night")
    assert done.returncode == 124, done.stdout + done.stderr
    night = state(newest(project))
    stopped = {name: (job.state, job.kind) for name, job in night.jobs.items()}
    assert stopped["a-s1"] == stopped["b-s1"] == ("interrupted", "window")
    [begin], [close] = night.begins, night.closes
    assert close["uptime"] < begin["closes_uptime"]
    assert night.jobs["c-s1"].state in {"pending", "skipped"}


def test_a_full_disk_ends_the_night_and_the_next_start_takes_up_the_rest(
    template: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    subprocess.run(["cp", "-a", template, project], check=True)
    (project / "full").touch()
    with small_disk(project / "runs", 60_000_000) as disk:
        held = Held(project)
        held.go_on()
        assert held.end() == 5
        (project / "full").unlink()
        (disk / "filler").unlink()
        assert ("failed", "disk") in [(one["state"], one["cause"]) for one in held.events("end")]
        assert [one for one in held.events("start") if one["job"] == "c-s1"] == []
        done = start(project, "night")
        assert done.returncode == 0, done.stdout + done.stderr
        assert {job.state for job in held.night.jobs.values()} == {"done"}
