"""Work on a real SLURM: ended as it ends, begun again where its node dies, gone with whoever wanted it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core.errors import PreflightError
from ctexp.executors.protocol import Work
from ctexp.executors.settings import SlurmSettings
from ctexp.executors.slurm import accounting
from ctexp.executors.slurm.accounting import end_of, in_line
from ctexp.executors.slurm.executor import Slurm, SlurmWork
from ctexp.executors.slurm.options import PLAIN
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.faults import accounts
from tests.faults.cluster import Cluster, cluster, missing, wait_until
from tests.faults.nights import LOADED_BY_JOBS
from tests.faults.test_slurm import SLOWLY
from tests.project import TINY, add_tiny_set, make_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

HERE = PLAIN.model_copy(update={"partition": "main", "gres": None, "time": "20m"})


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster", remembers=2) as one:
        yield one


@pytest.fixture(autouse=True)
def reached(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is one that sees the cluster."""
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, slurm.environment[name])


def piece(folder: Path, script: str) -> Work:
    return Work("try it", ["sh", "-c", script], folder, folder / "logs 100%" / "try.log", {"WORD": "said"})


def executor(folder: Path, settings: SlurmSettings = HERE, patience: float = 60.0) -> Slurm:
    return Slurm(settings, folder, patience)


def ended(one: Slurm, handle: SlurmWork, seconds: float = 120) -> int:
    wait_until(lambda: one.poll(handle) is not None, seconds)
    code = one.poll(handle)
    assert code is not None
    return code


def said(handle: SlurmWork) -> list[str]:
    """All it has printed; SLURM itself has a word in its log too."""
    lines = handle.work.log.read_text().splitlines()
    return [word for line in lines if not line.startswith("slurmstepd") for word in line.split()]


def until_said(one: Slurm, handle: SlurmWork, words: list[str], seconds: float = 60) -> None:
    wait_until(lambda: one.poll(handle) is None and said(handle) == words, seconds)


def test_it_runs_there_and_its_end_is_told(tmp_path: Path) -> None:
    one = executor(tmp_path)
    handle = one.submit(piece(tmp_path, 'echo "$WORD" "$(pwd)"; echo wrong >&2; exit 3'))
    killed = one.submit(Work("killed", ["sh", "-c", "kill -9 $$"], tmp_path, tmp_path / "killed.log"))
    assert ended(one, handle) == 3
    assert ended(one, killed) == -signal.SIGKILL
    assert said(handle) == ["said", str(tmp_path), "wrong"]
    assert one.poll(handle) == 3
    one.cancel(handle, 0)  # harmless
    assert not handle.place.folder.exists()


def test_what_there_is_to_work_with(tmp_path: Path) -> None:
    found = executor(tmp_path).resources()
    assert (found.slots, found.threads) == (2, 1)
    assert "partition main: 2 nodes" in found.said
    assert executor(tmp_path, HERE.model_copy(update={"at_once": 1})).resources().slots == 1


def test_what_slurm_refuses_is_told(tmp_path: Path) -> None:
    nowhere = executor(tmp_path, HERE.model_copy(update={"partition": "nowhere"}))
    with pytest.raises(PreflightError, match="invalid partition specified"):
        nowhere.submit(piece(tmp_path, "true"))
    with pytest.raises(PreflightError, match="partition nowhere"):
        nowhere.resources()
    assert not [*(tmp_path / "logs 100%").glob("*.slurm")]


def test_asked_to_end_it_ends(tmp_path: Path) -> None:
    one = executor(tmp_path)
    handle = one.submit(piece(tmp_path, "trap 'echo stopped; exit 7' TERM; echo ready; sleep 300 & wait"))
    until_said(one, handle, ["ready"])
    one.cancel(handle, 30)
    assert one.poll(handle) == 7
    assert said(handle) == ["ready", "stopped"]


def test_what_does_not_end_when_asked_is_ended(tmp_path: Path) -> None:
    one = executor(tmp_path)
    handle = one.submit(piece(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.1; done"))
    until_said(one, handle, ["ready"])
    began = time.monotonic()
    one.cancel(handle, 1)
    assert one.poll(handle) == -signal.SIGKILL
    assert time.monotonic() - began < 60
    assert not in_line([handle.job])


def test_in_line_it_can_be_cancelled_too(tmp_path: Path, slurm: Cluster) -> None:
    slurm.call("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        one = executor(tmp_path)
        handle = one.submit(piece(tmp_path, "echo ran"))
        line = in_line([handle.job])
        assert line is not None
        assert line[handle.job].state == "PENDING"
        assert one.poll(handle) is None
        one.cancel(handle, 60)
    finally:
        slurm.call("scontrol", "update", "PartitionName=main", "State=UP")
    assert one.poll(handle) == -signal.SIGTERM
    assert said(handle) == []


def test_its_node_dies_and_it_is_begun_again_on_the_other(tmp_path: Path, slurm: Cluster) -> None:
    one = executor(tmp_path)
    script = 'echo "$SLURMD_NODENAME"; [ "$SLURM_RESTART_COUNT" = 1 ] || { sleep 600 & wait; }; exit 5'
    handle = one.submit(piece(tmp_path, script))
    wait_until(lambda: one.poll(handle) is None and said(handle), 60)
    (node,) = said(handle)
    slurm.kill_node(node)
    try:
        assert ended(one, handle, 240) == 5
    finally:
        slurm.start_slurmd(node)
    other = {"n1": "n2", "n2": "n1"}[node]
    assert [word for word in said(handle) if word in ("n1", "n2")] == [node, other]
    wait_until(lambda: slurm.call("sinfo", "-hN", "-p", "main", "-o", "%T").split() == ["idle"] * 2, 60)


def test_what_takes_its_node_down_is_not_begun_for_ever(tmp_path: Path, slurm: Cluster) -> None:
    one = executor(tmp_path, HERE.model_copy(update={"restarts": 0}))
    handle = one.submit(piece(tmp_path, 'echo "$SLURMD_NODENAME"; sleep 600'))
    wait_until(lambda: one.poll(handle) is None and said(handle), 60)
    (node,) = said(handle)
    slurm.kill_node(node)
    try:
        assert ended(one, handle, 240) == -signal.SIGKILL
    finally:
        slurm.start_slurmd(node)
    assert "its node was lost 1 times" in handle.work.log.read_text()
    wait_until(lambda: slurm.call("sinfo", "-hN", "-p", "main", "-o", "%T").split() == ["idle"] * 2, 60)


def test_a_training_goes_on_with_its_run_on_the_other_node(
    tmp_path: Path, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    (project / "faults.py").write_text(SLOWLY)
    with (project / "tasks.py").open("a") as tasks:
        tasks.write(LOADED_BY_JOBS)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    words = ["inv", "train", "--yes", *TINY[:-2], "logger=none", "trainer.max_epochs=150"]
    settled = ["trainer.early_stopping=null", "run.name=carried"]
    one = executor(project)
    environment = {"CTEXP_JOB": "long-s1", "OMP_NUM_THREADS": "1"}
    work = Work("carried", [*words, *settled], project, tmp_path / "log", environment, trains=True)
    handle = one.submit(work)
    wait_until(lambda: one.poll(handle) is None and trained(project) > 3, 120)
    node = slurm.node_of(handle.job)
    slurm.kill_node(node)
    try:
        assert ended(one, handle, 300) == 0, work.log.read_text()
    finally:
        slurm.start_slurmd(node)
    (run,) = (RunDir(path) for path in run_paths(project / "runs"))
    assert trained(project) == 150
    assert run.attempt_numbers() == [1, 2]
    wait_until(lambda: slurm.call("sinfo", "-hN", "-p", "main", "-o", "%T").split() == ["idle"] * 2, 60)


def trained(project: Path) -> int:
    """Epochs of its one run."""
    for path in (project / "runs").glob("*/history.csv"):
        return len(path.read_text().splitlines()) - 1
    return 0


def test_it_makes_room_for_others_and_goes_on(tmp_path: Path, slurm: Cluster) -> None:
    """As often as it takes: `restarts` is about nodes that die."""
    one = executor(tmp_path, HERE.model_copy(update={"restarts": 0}))
    first = "trap 'echo saved; exit 143' TERM; echo ready; sleep 600 & wait"
    handle = one.submit(piece(tmp_path, f'[ "$SLURM_RESTART_COUNT" = 1 ] && exit 4; {first}'))
    until_said(one, handle, ["ready"])
    node = slurm.node_of(handle.job)
    urgent = ("sbatch", "--parsable", "--partition=urgent", f"--nodelist={node}", "--output=/dev/null")
    slurm.call(*urgent, "--wrap=sleep 3")
    assert ended(one, handle, 240) == 4
    assert [word for word in said(handle) if word in ("ready", "saved")] == ["ready", "saved"]


SUBMITTER = """
import sys, time
from pathlib import Path
from ctexp.executors.protocol import Work
from ctexp.executors.slurm.executor import Slurm
from ctexp.executors.slurm.options import PLAIN

folder = Path(sys.argv[1])
one = Slurm(PLAIN.model_copy(update={"partition": "main", "gres": None}), folder, patience=10.0)
script = "trap 'echo saved; exit 143' TERM; echo ready; sleep 600 & wait"
handle = one.submit(Work("left", ["sh", "-c", script], folder, folder / "left.log"))
print(handle.job, flush=True)
while one.poll(handle) is None:
    time.sleep(0.2)
"""


def test_it_ends_soon_after_whoever_submitted_it_was_killed(tmp_path: Path, slurm: Cluster) -> None:
    command = [sys.executable, "-c", SUBMITTER, str(tmp_path)]
    with subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) as submitter:
        assert submitter.stdout is not None
        job = submitter.stdout.readline().strip()
        log = tmp_path / "left.log"
        wait_until(lambda: log.exists() and log.read_text() == "ready\n", 60)
        submitter.kill()
    wait_until(lambda: log.read_text().split()[:2] == ["ready", "saved"], 60)
    slurm.wait_for(job, 60)


def test_what_slurm_has_forgotten_its_file_of_completed_jobs_tells(tmp_path: Path, slurm: Cluster) -> None:
    job = slurm.call("sbatch", "--parsable", "--output=/dev/null", "--wrap=exit 9", cwd=tmp_path)
    array = slurm.call(
        *("sbatch", "--parsable", "--output=/dev/null", "--array=1-2"),
        "--wrap=exit $SLURM_ARRAY_TASK_ID",
        cwd=tmp_path,
    )
    wait_until(lambda: accounting.asked("scontrol", "show", "job", job) is None, 180)
    wait_until(lambda: accounting.asked("scontrol", "show", "job", array) is None, 180)
    found = [end_of(one) for one in (job, f"{array}_1", f"{array}_2", "999999")]
    assert [one and (one.state, one.code) for one in found] == [
        ("FAILED", 9),
        ("FAILED", 1),
        ("FAILED", 2),
        ("FORGOTTEN", -9),
    ]


@pytest.mark.skipif(
    bool(accounts.missing(f"{os.environ['PATH']}:/usr/sbin")),
    reason=accounts.missing(f"{os.environ['PATH']}:/usr/sbin"),
)
def test_or_its_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(tmp_path / "cluster", accounted=True, remembers=2) as slurm:
        monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
        one = executor(tmp_path)
        handle = one.submit(piece(tmp_path, "exit 6"))
        assert ended(one, handle) == 6
        hanging = slurm.call("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 300", cwd=tmp_path)
        slurm.call("scancel", hanging)
        (slurm.folder / "jobcomp.txt").write_text("")
        wait_until(lambda: accounting.asked("scontrol", "show", "job", handle.job) is None, 180)
        wait_until(lambda: accounting.asked("scontrol", "show", "job", hanging) is None, 180)
        ends = [end_of(job) for job in (handle.job, hanging)]
        assert [end and (end.state, end.code) for end in ends] == [("FAILED", 6), ("CANCELLED", -15)]
