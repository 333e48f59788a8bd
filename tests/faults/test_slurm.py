"""A plan on a real SLURM: the same ends as on one machine, and going on wherever the cluster says."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.queue.folder import queues
from ctexp.queue.journal import Journal
from tests.faults.cluster import Cluster, cluster, missing, wait_until
from tests.faults.nights import LOADED_BY_JOBS, newest, night_json, start, state
from tests.project import INV, TINY, add_tiny_set, call, git, make_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

COMMON = f"""
window: 1h
seeds: [1]
common: {[*TINY[:-2], "trainer.early_stopping=null", "logger=none"]}
cooldown: {{pause: 0s}}
reserve: {{disk: 1MB, analysis: 5m}}
analysis: []
experiments:
"""
PLAN = f"""{COMMON}
  plain:
    overrides: [trainer.max_epochs=2]
    seeds: [1, 2]
  wild:
    overrides: [trainer.max_epochs=2, optimizer.lr=1e30]
  mended:
    overrides: [trainer.max_epochs=2, optimizer.lr=1e30, model.dropout=0.3]
    fallback: {{diverged: [optimizer.lr=1e-3]}}
  best:
    overrides: [trainer.max_epochs=2, model.dropout=0.4]
    base: {{best_of: [plain, mended]}}
  gated:
    overrides: [trainer.max_epochs=2, model.dropout=0.35]
    gate: {{after: plain, metric: val/loss, op: "<=", value: 0.000001}}
  after-wild:
    overrides: [trainer.max_epochs=2, model.dropout=0.45]
    needs: [wild]
"""
LONG = f"""{COMMON}
  long:
    overrides: [trainer.max_epochs=600]
  after:
    overrides: [trainer.max_epochs=1]
    needs: [long]
"""

SLOWLY = """
import os, time
from ctexp.training.kernel.module import Classifier

losses = Classifier.losses

def slowly(self, logits, batch):
    time.sleep(0.05)
    return losses(self, logits, batch)

if os.environ["CTEXP_JOB"] == "long-s1":
    Classifier.losses = slowly
"""
"""Two minutes at least for `long`, however fast the machine is: longer than a task's time."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster") as one:
        yield one


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with images and without a plan."""
    folder = make_project(tmp_path_factory.mktemp("data") / "project")
    add_tiny_set(folder)
    (folder / "faults.py").write_text(SLOWLY)
    with (folder / "tasks.py").open("a") as tasks:
        tasks.write(LOADED_BY_JOBS)
    (folder / ".venv").symlink_to(sys.prefix)
    with (folder / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/.venv\n")
    return folder


def project_with(data: Path, place: Path, name: str, plan: str, target: str = "slurm") -> Path:
    """A committed project with a rendered plan."""
    shutil.copytree(data, place, symlinks=True)
    (place / "research" / "plans").mkdir(parents=True)
    (place / "research" / "plans" / f"{name}.yaml").write_text(plan)
    call(place, INV, "plan-render", name, "--target", target)
    git(place, "add", ".")
    git(place, "commit", "--quiet", "--message=a night")
    return place


def ends(project: Path) -> dict[str, tuple[str, str | None, int]]:
    """State, kind and number of attempts of every job, one end for each attempt."""
    queue = newest(project)
    events = Journal(queue.journal).read()
    told = [(event["job"], event["attempt"]) for event in events if event["kind"] == "end"]
    assert len(told) == len(set(told))
    return {job.id: (job.state, job.kind, len(job.attempts)) for job in state(queue).jobs.values()}


def test_the_same_states_as_on_one_machine(data: Path, tmp_path: Path, slurm: Cluster) -> None:
    here = project_with(data, tmp_path / "here", "little", PLAN, "bash")
    there = project_with(data, tmp_path / "there", "little", PLAN)
    array = slurm.submit(there, "scripts/little.slurm.sh")
    slurm.wait_for(array, 900)
    assert start(here, "little").returncode == 12
    expected = {
        "plain-s1": ("done", None, 1),
        "plain-s2": ("done", None, 1),
        "wild-s1": ("failed", "diverged", 1),
        "mended-s1": ("done", None, 2),
        "best-s1": ("done", None, 1),
        "gated-s1": ("skipped", "gate", 0),
        "after-wild-s1": ("skipped", "need", 0),
    }
    assert ends(here) == expected
    assert ends(there) == expected, "".join(path.read_text() for path in there.glob("slurm-*.out"))
    nights = [night_json(newest(project)) for project in (here, there)]
    assert [night["exit_code"] for night in nights] == [12, 12]
    decided = [
        [
            (one["what"], one["experiment"], one.get("winner"), one.get("observed"))
            for one in journal
            if one["kind"] == "decision"
        ]
        for journal in (Journal(newest(project).journal).read() for project in (here, there))
    ]
    assert sorted(decided[0], key=str) == sorted(decided[1], key=str)


def test_a_task_goes_on_where_it_was_stopped(data: Path, tmp_path: Path, slurm: Cluster) -> None:
    """Requeued by the cluster, and again when its time is nearly over."""
    project = project_with(data, tmp_path / "long", "long", LONG)
    array = slurm.submit(project, "scripts/long.slurm.sh", "--time=3", "--signal=B:TERM@60")
    wait_until(lambda: epochs(project) > 3, 240)
    slurm.call("scontrol", "requeue", f"{array}_1")
    slurm.wait_for(array, 1500)
    assert ends(project)["after-s1"][:2] == ("done", None)  # its own time may have been over while it waited
    how, kind, attempts = ends(project)["long-s1"]
    assert (how, kind) == ("done", None)
    assert attempts >= 3
    journal = Journal(newest(project).journal).read()
    runs = {event["run"] for event in journal if event["kind"] == "end" and event["job"] == "long-s1"}
    assert len(runs) == 1  # gone on with each time
    assert epochs(project) == 600
    assert [event["exit_code"] for event in journal if event["kind"] == "close"] == [0]


def test_a_node_that_is_given_up_although_it_works(data: Path, tmp_path: Path, slurm: Cluster) -> None:
    """Killed with its daemon is nothing: the job goes on, and the task that replaces it waits for it."""
    plan = LONG.replace("after:", "other:").replace("    needs: [long]\n", "").replace("=600", "=300")
    project = project_with(data, tmp_path / "alone", "alone", plan)
    array = slurm.submit(project, "scripts/alone.slurm.sh")
    wait_until(lambda: epochs(project) > 1, 240)
    node = slurm.node_of(f"{array}_1")
    slurm.kill_slurmd(node)
    try:
        slurm.wait_for(array, 900)
    finally:
        slurm.start_slurmd(node)
    assert ends(project)["long-s1"] == ("done", None, 1)
    assert ends(project)["other-s1"] == ("done", None, 1)
    assert len(queues(project / "runs")) == 1
    assert [run.name for run in (project / "runs").glob("alone-long_*")] == [
        state(newest(project)).jobs["long-s1"].run
    ]
    entered = [
        event
        for event in Journal(newest(project).journal).read()
        if event["kind"] == "task" and event["task"] == "long-s1"
    ]
    assert len(entered) == 2


def test_a_task_that_has_to_make_room_goes_on(data: Path, tmp_path: Path, slurm: Cluster) -> None:
    project = project_with(data, tmp_path / "room", "room", LONG.replace("=600", "=150"))
    array = slurm.submit(project, "scripts/room.slurm.sh")
    wait_until(lambda: epochs(project) > 3, 240)
    node = slurm.node_of(f"{array}_1")
    urgent = ("sbatch", "--partition=urgent", f"--nodelist={node}", "--output=/dev/null", "--wrap=sleep 3")
    slurm.call(*urgent, cwd=project)
    slurm.wait_for(array, 900)
    assert ends(project)["long-s1"] == ("done", None, 2)
    first, second = (
        event
        for event in Journal(newest(project).journal).read()
        if event["kind"] == "end" and event["job"] == "long-s1"
    )
    assert (first["state"], first["cause"]) == ("interrupted", "signal")
    assert first["run"] == second["run"]
    assert epochs(project) == 150
    completed = (slurm.folder / "jobcomp.txt").read_text().splitlines()
    mine = [line for line in completed if f"ArrayJobId={array} ArrayTaskId=1 " in line]
    assert [line.split("JobState=")[1].split()[0] for line in mine] == ["PREEMPTED", "COMPLETED"]


def epochs(project: Path) -> int:
    """How many the run of `long` has trained."""
    for history in (project / "runs").glob("*-long_*/history.csv"):
        return len(history.read_text().splitlines()) - 1
    return 0
