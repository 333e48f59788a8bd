"""The script for a cluster: what stands in it, and what each of its tasks does; SLURM is a stub here."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.executors.slurm.options import PLAIN
from ctexp.planning.plan.document import Plan
from ctexp.planning.render.script import Script
from ctexp.planning.render.slurm import slurm_script
from tests.planning.render import stub
from tests.planning.render.plans import plan_of, script_of
from tests.waiting import until

GOLDEN = Path(__file__).parents[2] / "golden"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def slurm_of(plan: Plan) -> str:
    return slurm_script(Script(plan, f"research/plans/{plan.name}.yaml", "0" * 64))


def header(plan: Plan) -> dict[str, str]:
    """The options for sbatch, which ends its reading at the first command."""
    lines = [line for line in slurm_of(plan).splitlines() if line.startswith("#SBATCH --")]
    return dict(line.removeprefix("#SBATCH --").partition("=")[::2] for line in lines)


class Place:
    """A project's folder in which a task runs; its programs write down what they are called with.

    Attributes:
        state: of the task, as `squeue` says it.
    """

    def __init__(self, folder: Path, keys: list[str], task: str = "resnet18-s42") -> None:
        self.folder = folder
        self.script = stub.make_place(folder, slurm_of(plan_of()), keys)
        (folder / "tasks.py").touch()
        (folder / "conf").mkdir()
        python = folder / ".venv" / "bin" / "python"
        text = python.read_text().replace("    next)\n", "    hold)\n        echo $SLURM_NTASKS >ntasks\n")
        text = text.replace("mkdir -p queue\n", f"mkdir -p queue/tasks\n        export CTEXP_TASK={task}\n")
        python.write_text(text.replace("next_code", "hold_code"))
        self.program("scontrol", 'echo "$*" >>scontrol; exit 1')
        self.program("sbatch", 'printf "%s\\0" "$@" >sbatch')
        self.program("squeue", "cat state")
        (folder / "state").write_text("RUNNING\n")

    def program(self, name: str, text: str) -> None:
        path = self.folder / ".venv" / "bin" / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def begin(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """The script, as SLURM starts it: a copy elsewhere, in the folder it was submitted from."""
        copy = self.folder.parent / "slurm_script"
        copy.write_text(self.script.read_text())
        task = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_JOB_ID": "8", "SLURM_SUBMIT_DIR": str(self.folder)}
        return subprocess.Popen(
            ["bash", copy, *words],
            cwd=self.folder,
            env=stub.environment() | task | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, **variables: str) -> int:
        task = self.begin(*words, **variables)
        task.communicate(timeout=60)
        return task.returncode

    def told(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a place; with 'quotes' and $(spaces)"


def test_the_script_is_as_it_was_agreed_on() -> None:
    assert slurm_of(plan_of()) == (GOLDEN / "backbones.slurm.sh").read_text()


def test_its_commands_are_those_of_the_night(tmp_path: Path) -> None:
    def commands(script: str) -> str:
        return script[script.index("    case $key in") : script.index("queue=(python")]

    assert commands(slurm_of(plan_of())) == commands(script_of(plan_of()))
    path = tmp_path / "x.slurm.sh"
    path.write_text(slurm_of(plan_of()))
    subprocess.run([SHELLCHECK, path], check=True)


@pytest.mark.parametrize(
    ("changes", "time"),
    [
        ({"window": "8h"}, "0-08:00:00"),
        ({"window": "from 22:00 for 30h"}, "1-06:00:00"),
        ({"window": "until 07:00"}, "1-00:00:00"),
        ({"window": "90s"}, "0-00:02:00"),
        ({"experiments": {"a": {"limit": "2h"}, "b": {"limit": "90m"}}}, "0-02:07:00"),
        ({"experiments": {"a": {"limit": "2h"}, "b": {}}, "window": "4h"}, "0-04:00:00"),
    ],
)
def test_the_time_of_a_task(changes: dict[str, Any], time: str) -> None:
    assert header(plan_of(**changes))["time"] == time


def test_a_task_for_each_job_and_one_for_the_analysis() -> None:
    asked = header(plan_of(experiments={"a": {}, "b": {"seeds": [1]}}))
    assert (asked["array"], asked["gres"], asked["signal"]) == ("1-4", "gpu:1", "B:TERM@120")
    assert "gres" not in header(plan_of(common=["trainer.accelerator=cpu"]))


def test_a_cluster_of_ones_own(tmp_path: Path) -> None:
    lab = PLAIN.model_copy(
        update={
            **{"partition": "long", "account": "chest", "qos": "low", "gres": "gpu:a100:1", "cpus": 8},
            **{"memory": "32G", "at_once": 4, "options": ["--constraint=a100|h100", "--exclusive"]},
        }
    )
    plan = plan_of()
    text = slurm_script(Script(plan, "research/plans/backbones.yaml", "0" * 64), "lab", lab)
    lines = [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]
    assert "--array=1-8%4" in lines
    wanted = ["--partition=long", "--account=chest", "--qos=low", "--gres=gpu:a100:1", "--cpus-per-task=8"]
    assert {*wanted, "--mem=32G", "--constraint=a100|h100", "--exclusive"} <= {*lines}
    assert "--target slurm --executor lab -- " in text
    assert "plan-render research/plans/backbones.yaml --executor lab" in text
    path = tmp_path / "x.slurm.sh"
    path.write_text(text)
    subprocess.run([SHELLCHECK, path], check=True)


def test_a_task_makes_all_attempts_at_its_job(folder: Path) -> None:
    place = Place(folder, ["resnet18-s42", "resnet18-s42:oom"])
    assert place.run(SLURM_NTASKS="1") == 0
    calls = stub.calls(folder)
    assert [call[:2] for call in calls] == [["run", "resnet18-s42"], ["run", "resnet18-s42:oom"]]
    assert not place.told("end")
    assert place.told("ntasks") == "\n"
    assert not place.told("scontrol")


def test_the_last_task_does_the_analysis(folder: Path) -> None:
    place = Place(folder, [], task="analysis")
    assert place.run() == 0
    assert {call[0] for call in stub.calls(folder)} == {"step"}
    assert place.told("end") == "0\n"


def test_a_job_that_is_over_otherwise_shows_in_the_exit_code(folder: Path) -> None:
    place = Place(folder, [])
    (folder / "hold_code").write_text("12")
    (folder / "keys").write_text("\n")
    assert place.run() == 12
    assert not place.told("scontrol")


def test_what_would_wait_too_long_is_given_back(folder: Path) -> None:
    place = Place(folder, ["resnet18-s42"])
    (folder / "hold_code").write_text("75")
    assert place.run() == 75
    assert place.told("scontrol") == "requeue 8\n"


@pytest.mark.parametrize(("state", "requeued"), [("RUNNING", "requeue 8\n"), ("CANCELLED", ""), ("", "")])
def test_a_signal_reaches_the_training_and_the_task_comes_again(
    folder: Path, state: str, requeued: str
) -> None:
    place = Place(folder, ["resnet18-s42", "resnet18-s43"])
    (folder / "state").write_text(f"{state}\n")
    (folder / "work").write_text("trap 'touch heard; kill $!; exit 143' TERM; sleep 30 & touch works; wait")
    task = place.begin()
    until(lambda: (folder / "works").exists())
    task.send_signal(signal.SIGTERM)
    task.communicate(timeout=30)
    assert task.returncode == 143
    assert (folder / "heard").exists()
    assert len(stub.calls(folder)) == 1
    assert place.told("scontrol") == requeued


def test_it_submits_itself(folder: Path) -> None:
    place = Place(folder, [])
    done = subprocess.run(
        ["bash", place.script, "--fresh"], cwd="/", env=stub.environment(), check=False, timeout=30
    )
    assert done.returncode == 0
    assert place.told("sbatch").split("\0")[:-1] == [str(place.script.resolve()), "--fresh"]


@pytest.mark.parametrize(
    ("sinfo", "advice"),
    [
        ("exit 1", "submit from a machine that sees the cluster; for this one: scripts/inv plan-render "),
        ("echo 'debug up'", "see sinfo, and conf/executor/slurm.yaml"),
    ],
)
def test_where_slurm_takes_nothing_one_line_says_why_and_what_to_do(
    folder: Path, sinfo: str, advice: str
) -> None:
    place = Place(folder, [])
    place.program("sbatch", "echo 'sbatch: error: no host' >&2; echo 'sbatch: fatal: no source' >&2; exit 1")
    place.program("sinfo", sinfo)
    done = subprocess.run(
        ["bash", place.script], env=stub.environment(), check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (4, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"SLURM takes nothing: sbatch: fatal: no source -> {advice}")


def test_what_sbatch_says_of_what_it_takes_is_shown(folder: Path) -> None:
    place = Place(folder, [])
    place.program("sbatch", "echo 'sbatch: you have little time left' >&2; echo 'Submitted batch job 7'")
    done = subprocess.run(
        ["bash", place.script], env=stub.environment(), check=True, capture_output=True, text=True
    )
    assert done.stdout == "Submitted batch job 7\n"
    assert done.stderr == "sbatch: you have little time left\n"


def test_a_rehearsal_submits_nothing(folder: Path) -> None:
    place = Place(folder, [])
    done = subprocess.run(
        ["bash", place.script, "--dry-run"],
        env=stub.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert "inv train" in done.stdout
    assert not place.told("sbatch")
    assert place.told("begin").split("\0")[6:10] == ["--target", "slurm", "--", "--dry-run"]


def test_submitted_from_elsewhere_it_says_so(folder: Path) -> None:
    place = Place(folder, [])
    (folder / "tasks.py").unlink()
    task = place.begin()
    said, _ = task.communicate(timeout=30)
    assert task.returncode == 4
    assert "submit from there" in said
