"""The night of twelve jobs on a real SLURM: every fault once, a node that dies among them, the same end."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.executors.slurm.accounting import end_of
from ctexp.queue.array import ANALYSIS, indices
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import queues
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders
from ctexp.record.run_dir import RunDir
from tests.faults import accounts
from tests.faults.cluster import Cluster, cluster, missing, wait_until
from tests.faults.nights import calm, newest, night_json, night_project, state
from tests.faults.runs import essence
from tests.faults.test_night import FAULTS, PLAN, WANTED
from tests.full_disk import small_disk
from tests.project import INV, call, git

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

AT_REST = """
    if JOB == "orphan-s1" and once():
        (ROOT / "midway").touch()
        while True:
            time.sleep(1)
"""
"""Where a night on one machine loses its script, here a node dies: as soon as this job is midway."""

_ORPHAN, _DISK = '    if JOB == "orphan-s1"', '    if JOB == "disk-s1"'
THERE = f"{FAULTS[: FAULTS.index(_ORPHAN)].rstrip()}{AT_REST}{FAULTS[FAULTS.index(_DISK) :]}"

UNDISTURBED = ("smoke-s1", "plain-s1", "plain-s2", "plain-s3", "hang-s1", "orphan-s1", "disk-s1", "best-s1")
"""Jobs whose runs must be those of a night in which nothing goes wrong."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    accounted = not accounts.missing(f"{os.environ['PATH']}:/usr/sbin")
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster", accounted=accounted) as one:
        yield one


class Night:
    """The night's arrays, and what happens to them.

    Attributes:
        nodes: of the job that loses one: where it was, and where it was begun again.
        lost: its task, as SLURM calls it.
        waits: what `queue-status` said that jobs wait for.
    """

    def __init__(self, project: Path, disk: Path, slurm: Cluster) -> None:
        self.project, self.disk, self.slurm = project, disk, slurm
        self.nodes: list[str] = []
        self.lost = ""
        self.waits: set[str] = set()

    def events(self) -> list[Event]:
        begun = queues(self.project / "runs")
        return Journal(begun[-1].journal).read() if begun else []

    def carry_out(self) -> str:
        """Submit it once, and see it through; the array's id."""
        array = self.slurm.submit(self.project, "scripts/survive.slurm.sh")

        def over() -> bool:
            if not self.waits and any(event["kind"] == "start" for event in self.events()):
                self._look()
            self._node(array)
            filler = self.disk / "filler"
            if filler.exists() and any(event.get("cause") == "disk" for event in self.events()):
                filler.unlink()
            return not self.slurm.call("squeue", "-h", "-j", array, check=False)

        wait_until(over, 1500, "the array does not end")
        return array

    def _look(self) -> None:
        said = self.slurm.call(str(INV), "queue-status", "survive", "--json", cwd=self.project)
        self.waits = {job["waits"].rpartition("; ")[2] for job in json.loads(said)["jobs"] if job["waits"]}

    def _node(self, array: str) -> None:
        """Have the node of the orphan die, once; it comes back when that was begun elsewhere."""
        if not (self.project / "midway").exists() or len(self.nodes) == 2:
            return
        task = f"{array}_{indices(Orders.read(newest(self.project).orders))['orphan-s1']}"
        now = self.slurm.node_of(task)
        if not self.nodes:
            self.lost = task
            self.nodes.append(now)
            self.slurm.kill_node(now)
        elif now and now != self.nodes[0]:
            self.nodes.append(now)
            self.slurm.start_slurmd(self.nodes[0])


def test_twelve_jobs_every_fault_and_a_node_that_dies(
    tmp_path: Path, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, slurm.environment[name])
    with small_disk(tmp_path / "project" / "runs", 300_000_000) as disk:
        project = night_project(tmp_path / "project", "survive", PLAN, THERE)
        reference = shutil.copytree(project, tmp_path / "calm", symlinks=True)
        (reference / "faults.py").write_text("")
        git(reference, "commit", "--quiet", "--all", "--message=nothing goes wrong")
        call(project, INV, "plan-render", "survive", "--target", "slurm")
        with (project / ".git" / "info" / "exclude").open("a") as exclude:
            exclude.write("/midway\n/slurm-*.out\n")
        git(project, "add", ".")
        git(project, "commit", "--quiet", "--message=for a cluster")
        night = Night(project, disk, slurm)
        arrays = [night.carry_out()]
        while night_json(newest(project))["exit_code"] != 12 or _left(project):
            assert len(arrays) < 4, _told(project)
            arrays.append(night.carry_out())

        queue = newest(project)
        assert night_json(queue)["exit_code"] == 12
        ended = state(queue)
        assert {name: job.state for name, job in ended.jobs.items()} == WANTED, _told(project)
        events = night.events()
        begun = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "start")
        ends = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "end")
        assert begun == ends
        assert set(ends.values()) == {1}
        for job in WANTED:
            states = [e["state"] for e in events if e["kind"] == "end" and e["job"] == job]
            assert "done" not in states[:-1], f"{job} ran again after it was done"
        causes = {
            name: {attempt.end["cause"] for attempt in job.attempts if attempt.end and attempt.end["cause"]}
            for name, job in ended.jobs.items()
        }
        # Whatever else was under way when the disk was full failed by that too.
        expected = {
            **{"plain-s3": "killed", "memory-s1": "oom", "nan-s1": "diverged", "hang-s1": "hung"},
            **{"orphan-s1": "killed", "disk-s1": "disk"},
        }
        assert {name: found - {"disk"} or found for name, found in causes.items() if found - {"disk"}} | {
            "disk-s1": causes["disk-s1"]
        } == {name: {cause} for name, cause in expected.items()}
        assert ended.jobs["after-nan-s1"].kind == "need"
        assert ended.jobs["gated-s1"].kind == "gate"
        assert any("data.batch_size" in line for line in ended.jobs["memory-s1"].deviations)
        assert sorted(night.nodes) == ["n1", "n2"]
        assert {"SLURM says PENDING, Resources", "SLURM says PENDING, Dependency"} <= night.waits

        # What SLURM says of the last array is what the journal says.
        index = indices(Orders.read(queue.orders))
        for name, number in index.items():
            end = end_of(f"{arrays[-1]}_{number}")
            assert end is not None
            assert end.code == (12 if name == ANALYSIS or WANTED[name] != "done" else 0), name
        completed = (slurm.folder / "jobcomp.txt").read_text()
        task = "ArrayJobId={} ArrayTaskId={} ".format(*night.lost.split("_"))
        lines = [line for line in completed.splitlines() if task in f"{line} "]
        assert any("JobState=NODE_FAIL" in line and f"NodeList={night.nodes[0]} " in line for line in lines)
        if not accounts.missing(slurm.environment["PATH"]):
            rows = slurm.call("sacct", "-nPXD", "-j", night.lost, "-o", "State,NodeList").splitlines()
            assert rows[0] == f"NODE_FAIL|{night.nodes[0]}"

        undisturbed = calm(reference, "survive")
        for job in UNDISTURBED:
            one, other = ended.jobs[job].run, undisturbed.jobs[job].run
            assert one is not None
            assert other is not None
            here, there = RunDir(project / "runs" / one), RunDir(reference / "runs" / other)
            assert essence(here) == essence(there), job


def _left(project: Path) -> list[str]:
    """What another start of the script would take up."""
    queue = newest(project)
    return left_to_do(Orders.read(queue.orders), state(queue))


def _told(project: Path) -> str:
    """The last words of every task."""
    logs = sorted(project.glob("slurm-*.out"))
    return "\n".join(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-5:]) for log in logs)
