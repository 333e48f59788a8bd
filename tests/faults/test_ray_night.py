"""The night of twelve jobs in which everything goes wrong once, on a Ray cluster that loses a node too."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from ctexp.queue.journal import Journal
from ctexp.record.run_dir import RunDir
from tests.faults.nights import calm, newest, night_json, night_project, start, state
from tests.faults.runs import essence
from tests.faults.test_night import FAULTS, PLAN, WANTED
from tests.full_disk import small_disk
from tests.sweeps.ray_tune.nodes import Nodes, two_nodes

BESIDE = ("plain-s1", "plain-s2")
"""Of these two, which run at once, one is on the node that is lost."""

PATIENT = PLAN.replace("silence: 60s", "silence: 120s")
"""A place on the cluster has to be made before anything moves there."""

FAULTS_THERE = (
    FAULTS.replace('Path(os.environ["CTEXP_QUEUE_DIR"])', 'ROOT / "runs/queues" / os.environ["CTEXP_QUEUE"]')
    + f"""
before = Classifier.losses


def losses_of_two(self, logits, batch):
    if JOB in {BESIDE} and self.training and self.global_step == 14 and once():
        while not (ROOT / "fired" / "node").exists():
            heartbeat.beat()
            time.sleep(0.1)
    return before(self, logits, batch)


Classifier.losses = losses_of_two
"""
).replace("import torch\n", "import torch\nfrom ctexp.core import heartbeat\n")


def lose_a_node(project: Path, nodes: Nodes) -> None:
    """Once both of the two are in the midst of their trainings."""
    fired = project / "fired"
    end = time.monotonic() + 400
    while not all((fired / job).exists() for job in BESIDE):
        assert time.monotonic() < end
        time.sleep(0.1)
    nodes.die()
    (fired / "node").touch()


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_twelve_jobs_every_fault_once_and_a_node_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "project" / "runs", 300_000_000) as disk, two_nodes() as nodes:
        monkeypatch.setenv("RAY_ADDRESS", nodes.address)
        project = night_project(tmp_path / "project", "survive", PATIENT, FAULTS_THERE, executor="ray")
        loser = threading.Thread(target=lose_a_node, args=(project, nodes), daemon=True)
        loser.start()
        codes = []
        for _ in range(6):
            done = start(project, "survive.ray", limit=1200)
            codes.append(done.returncode)
            print(f"--- exit {done.returncode}\n{done.stdout}{done.stderr}")
            (disk / "filler").unlink(missing_ok=True)
            if done.returncode not in {-9, 5}:
                break
        loser.join()
        # The kill of the script and the full disk, in whichever order, and the end.
        assert (sorted(codes[:-1]), codes[-1]) == ([-9, 5], 12)

        queue = newest(project)
        night = state(queue)
        assert {name: job.state for name, job in night.jobs.items()} == WANTED
        events = Journal(queue.journal).read()
        begun = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "start")
        ended = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "end")
        assert begun == ended
        assert set(ended.values()) == {1}

        # Two at once, and the one whose node was lost went on with its run: for the night, one attempt.
        runs = {name: RunDir(project / "runs" / job.run) for name, job in night.jobs.items() if job.run}
        moved = [job for job in BESIDE if len(runs[job].attempt_numbers()) == 2]
        assert len(moved) == 1
        assert len(night.jobs[moved[0]].attempts) == 1
        assert "lost: " in queue.output(f"{moved[0]}.1").read_text()
        causes = {
            name: job.attempts[0].end["cause"]
            for name, job in night.jobs.items()
            if job.attempts and job.attempts[0].end
        }
        assert causes["plain-s3"] == "killed"
        assert causes["memory-s1"] == "oom"
        assert causes["nan-s1"] == "diverged"
        assert causes["hang-s1"] == "hung"
        assert causes["disk-s1"] == "disk"
        assert night_json(queue)["exit_code"] == 12

        reference = night_project(tmp_path / "calm", "survive", PLAN)
        undisturbed = calm(reference, "survive")
        for job in (
            "smoke-s1",
            "plain-s1",
            "plain-s2",
            "plain-s3",
            "hang-s1",
            "orphan-s1",
            "disk-s1",
            "best-s1",
        ):
            there = undisturbed.jobs[job].run
            assert there is not None
            assert essence(runs[job]) == essence(RunDir(reference / "runs" / there)), job
