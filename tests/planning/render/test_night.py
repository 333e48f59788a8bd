"""A rendered script with the real programs of the night, stopped in every way a night is; jobs are stubs."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from ctexp.cli.plan_render import plan_render
from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.planning.render import stub
from tests.project import HERE, add_tiny_set, make_project
from tests.queue.attempts import STUB, lives
from tests.waiting import until

PLAN = """\
seeds: [1, 2]
common: [data.name=tiny, model=tiny_cnn, trainer.accelerator=cpu, logger=none]
reserve: {disk: 1MB, analysis: 1m}
limits: {grace: 5s}
analysis: [report]
experiments: {plain: {}}
"""

INV = f"""#!/bin/sh
[ -n "$CTEXP_JOB" ] || exec echo "analysis: $*"
echo $$ >"pid-$CTEXP_JOB"
case $* in *" --resume "*) exec {sys.executable} {STUB} "$@" ;; esac
exec {sys.executable} {STUB} "stub=$(cat "does-$CTEXP_JOB" || echo finished)"
"""


@pytest.fixture(scope="module")
def with_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a rendered plan `night` of two jobs and an environment whose `inv` is a stub."""
    folder = make_project(tmp_path_factory.mktemp("nights") / "project")
    add_tiny_set(folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name, text in {"python": f'#!/bin/sh\nexec {sys.executable} "$@"\n', "inv": INV}.items():
        (folder / ".venv" / "bin" / name).write_text(text)
        (folder / ".venv" / "bin" / name).chmod(0o755)
    (folder / "research" / "plans").mkdir(parents=True)
    (folder / "research" / "plans" / "night.yaml").write_text(PLAN)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        monkeypatch.delenv("CTEXP_ROOT", raising=False)
        plan_render("night", target="bash", output=None, json=False)
    return folder


class Project:
    """A project whose first job waits to be stopped, once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.script = root / "scripts" / "night.sh"
        self.does("graceful,begun,sleep")
        (root / "pid-plain-s1").unlink(missing_ok=True)
        ours = {"PYTHONPATH": str(HERE), "XDG_CACHE_HOME": str(root / "cache")}
        self.environment = stub.environment() | ours

    def does(self, what: str) -> None:
        """What the stub does as the first job."""
        (self.root / "does-plain-s1").write_text(what)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["bash", self.script, "--fresh", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def go_on(self) -> int:
        """Start once more, without new faults; the exit code."""
        self.does("finished")
        words = ["bash", str(self.script)]
        return subprocess.run(words, env=self.environment, capture_output=True, check=False).returncode

    @property
    def trainer(self) -> int:
        """The process of the first job, once it has begun its work."""
        until(lambda: any(self.runs.glob("stub_*")))
        return int((self.root / "pid-plain-s1").read_text())

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def queue(self) -> QueueDir:
        return queues(self.runs)[-1]

    @property
    def events(self) -> list[Event]:
        return Journal(self.queue.journal).read()

    def ends(self) -> list[tuple[str, str, str | None]]:
        """Each end of an attempt: job, state, cause."""
        return [(e["job"], e["state"], e["cause"]) for e in self.events if e["kind"] == "end"]

    def states(self) -> set[str]:
        return {job.state for job in fold(Orders.read(self.queue.orders), self.events).jobs.values()}


@pytest.fixture
def project(with_script: Path) -> Project:
    for path in (with_script / "runs").glob("stub_*"):
        path.rename(path.with_name(f"old-{path.name}"))
    return Project(with_script)


STOPPED = [("plain-s1", "interrupted", "signal")]
GONE_ON = [*STOPPED, ("plain-s1", "done", None), ("plain-s2", "done", None)]


@pytest.mark.slow
def test_control_c_stops_on_a_checkpoint_and_the_next_start_goes_on(project: Project) -> None:
    words = [str(project.script), "--fresh"]
    terminal = pexpect.spawn("bash", words, encoding="utf-8", timeout=30, env=project.environment)
    trainer = project.trainer
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 130
    assert not lives(trainer)
    assert project.ends() == STOPPED
    assert not [event for event in project.events if event["kind"] == "step"]
    assert project.go_on() == 0
    assert project.ends() == GONE_ON
    assert project.states() == {"done"}
    assert "analysis: report --queue" in project.queue.log.read_text()


def test_detached_it_goes_on_alone_until_it_is_told_to_stop(project: Project) -> None:
    told, _ = project.start("--detach").communicate(timeout=30)
    pid = int(re.findall(r"^pid +(\d+)$", told, re.M)[0])
    trainer = project.trainer
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/fd/1").readlink() == project.queue.log
    os.kill(pid, signal.SIGTERM)
    until(lambda: not lives(pid))
    assert not lives(trainer)
    assert project.ends() == STOPPED
    assert project.events[-1]["kind"] == "close"
    assert "interrupted (signal)" in project.queue.log.read_text()


@pytest.mark.slow
def test_the_night_goes_on_without_its_terminal(project: Project) -> None:
    project.does("begun,1")
    words = [str(project.script), "--fresh"]
    terminal = pexpect.spawn("bash", words, encoding="utf-8", timeout=30, env=project.environment)
    assert project.trainer
    terminal.ptyproc.fileobj.close()
    until(lambda: project.events[-1]["kind"] == "close")
    assert ("plain-s2", "done", None) in project.ends()
    assert not [event for event in project.events if event.get("cause") == "signal"]
    assert project.queue.night_md.exists()
    terminal.close(force=True)


@pytest.mark.slow
def test_the_kill_of_the_script_stops_its_job_and_the_next_start_goes_on(project: Project) -> None:
    night = project.start()
    trainer = project.trainer
    night.kill()
    night.communicate(timeout=30)
    until(lambda: not lives(trainer))
    assert project.go_on() == 0
    assert project.ends() == GONE_ON


@pytest.mark.slow
def test_the_copy_runs_whatever_becomes_of_script_and_plan(project: Project) -> None:
    plan = project.root / "research" / "plans" / "night.yaml"
    script, said = project.script.read_text(), plan.read_text()
    night = project.start()
    trainer = project.trainer
    try:
        project.script.write_text("touch canary\n" * 5_000)
        plan.write_text("nonsense")
        night.terminate()
        night.communicate(timeout=30)
        assert night.returncode == 143
        assert not lives(trainer)
        assert (project.queue.path / "queue.sh").read_text() == script
        project.script.write_text(script)
        assert project.go_on() == 2  # the plan is not what it was
    finally:
        project.script.write_text(script)
        plan.write_text(said)
    assert project.go_on() == 0
    assert project.ends() == GONE_ON
    assert not list(project.root.glob("canary"))
