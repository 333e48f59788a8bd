"""A night of twelve jobs in which everything goes wrong once, run again until it is over."""

from collections import Counter
from pathlib import Path

import pytest

from ctexp.queue.journal import Journal
from ctexp.record.run_dir import RunDir
from tests.faults.nights import calm, newest, night_json, night_project, start, state
from tests.faults.runs import essence
from tests.full_disk import small_disk

PLAN = """
goal: Survive.
baseline: plain
window: 2h
seeds: [1]
retries: 1
common:
  - data=phantom
  - model=tiny_cnn
  - data.image_size=32
  - data.batch_size=24
  - trainer.accelerator=cpu
  - trainer.max_epochs=3
  - trainer.early_stopping=null
  - logger=none
cooldown: {pause: 0s}
reserve: {disk: 1MB, analysis: 5m}
analysis: [report]
limits: {silence: 60s, grace: 3s}
experiments:
  smoke:
    overrides: [trainer.max_epochs=1]
    priority: 9
  plain:
    hypothesis: The noise floor.
    seeds: [1, 2, 3]
    priority: 8
  memory:
    hypothesis: It runs out of memory, and goes on in smaller batches.
    overrides: [model.dropout=0.1]
    fallback: {oom: [data.batch_size=8]}
    success: {metric: val/macro_f1, better_than: baseline, by: 0.3}
  nan:
    hypothesis: It diverges.
    overrides: [model.dropout=0.2]
    success: {metric: val/macro_f1, better_than: baseline, by: 0.3}
  after-nan:
    overrides: [model.dropout=0.25]
    needs: [nan]
  hang:
    overrides: [model.dropout=0.3]
  orphan:
    overrides: [model.dropout=0.35]
  disk:
    overrides: [model.dropout=0.4]
  best:
    base: {best_of: [hang, orphan], by: val/accuracy}
    overrides: [optimizer.lr=2e-3]
    priority: -1
  gated:
    overrides: [model.dropout=0.45]
    gate: {after: smoke, metric: val/accuracy, op: ">=", value: 0.99}
"""

FAULTS = """
import json, os, signal, time
from pathlib import Path

import torch
from ctexp.training.kernel.module import Classifier

JOB = os.environ["CTEXP_JOB"]
ROOT = Path(__file__).parent
FIRED = ROOT / "fired"
FIRED.mkdir(exist_ok=True)
original = Classifier.losses


def once():
    try:
        (FIRED / JOB).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def losses(self, logits, batch):
    found = original(self, logits, batch)
    if not self.training or self.global_step < 14:
        return found
    if JOB == "plain-s3" and once():
        os.kill(os.getpid(), signal.SIGKILL)
    if JOB == "memory-s1" and len(logits) > 8:
        raise torch.OutOfMemoryError("CUDA out of memory, as the test wants it")
    if JOB == "nan-s1":
        return found * float("nan")
    if JOB == "hang-s1" and once():
        while True:
            time.sleep(1)
    if JOB == "orphan-s1" and once():
        lines = (Path(os.environ["CTEXP_QUEUE_DIR"]) / "journal.jsonl").read_text().splitlines()
        begins = [event for event in map(json.loads, lines) if event["kind"] == "begin"]
        os.kill(begins[-1]["pid"], signal.SIGKILL)
        time.sleep(1)
    if JOB == "disk-s1" and once():
        space = os.statvfs(ROOT / "runs")
        with open(ROOT / "runs" / "filler", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, space.f_bavail * space.f_frsize))
    return found


Classifier.losses = losses
"""

WANTED = {
    **dict.fromkeys(["smoke-s1", "plain-s1", "plain-s2", "plain-s3", "memory-s1", "hang-s1"], "done"),
    **dict.fromkeys(["orphan-s1", "disk-s1", "best-s1"], "done"),
    "nan-s1": "failed",
    "after-nan-s1": "skipped",
    "gated-s1": "skipped",
}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_twelve_jobs_and_every_fault_once(tmp_path: Path) -> None:
    with small_disk(tmp_path / "project" / "runs", 300_000_000) as disk:
        project = night_project(tmp_path / "project", "survive", PLAN, FAULTS)
        codes, told = [], ""
        for _ in range(6):
            done = start(project, "survive")
            codes.append(done.returncode)
            told = done.stdout + done.stderr
            print(f"--- exit {done.returncode}\n{told}")
            (disk / "filler").unlink(missing_ok=True)
            if done.returncode not in {-9, 5}:
                break
        # The kill of the script, the full disk, the end; in the order of the plan.
        assert codes == [-9, 5, 12]

        queue = newest(project)
        night = state(queue)
        assert {name: job.state for name, job in night.jobs.items()} == WANTED
        events = Journal(queue.journal).read()
        begun = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "start")
        ended = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "end")
        assert begun == ended
        assert set(ended.values()) == {1}
        for job in WANTED:
            ends = [e["state"] for e in events if e["kind"] == "end" and e["job"] == job]
            assert "done" not in ends[:-1], f"{job} ran again after it was done"

        attempts = {name: len(job.attempts) for name, job in night.jobs.items()}
        assert attempts == dict.fromkeys(WANTED, 1) | {
            **dict.fromkeys(["plain-s3", "memory-s1", "hang-s1", "orphan-s1", "disk-s1"], 2),
            **dict.fromkeys(["after-nan-s1", "gated-s1"], 0),
        }
        causes = {
            name: job.attempts[0].end["cause"]
            for name, job in night.jobs.items()
            if job.attempts and job.attempts[0].end
        }
        assert causes["plain-s3"] == "killed"
        assert causes["memory-s1"] == "oom"
        assert causes["nan-s1"] == "diverged"
        assert causes["hang-s1"] == "hung"
        assert causes["orphan-s1"] == "signal"
        assert causes["disk-s1"] == "disk"
        assert night.jobs["after-nan-s1"].kind == "need"
        assert night.jobs["gated-s1"].kind == "gate"
        assert any("data.batch_size" in line for line in night.jobs["memory-s1"].deviations)

        reference = night_project(tmp_path / "calm", "survive", PLAN)
        undisturbed = calm(reference, "survive")
        for job in ("plain-s1", "plain-s3", "hang-s1", "orphan-s1", "disk-s1", "best-s1"):
            one, other = night.jobs[job].run, undisturbed.jobs[job].run
            assert one is not None
            assert other is not None
            here, there = RunDir(project / "runs" / one), RunDir(reference / "runs" / other)
            assert essence(here) == essence(there), job

        document = night_json(queue)
        written = queue.night_md.read_text()
        assert document["exit_code"] == 12
        for text in (written, (project / "research" / "LOG.md").read_text()):
            for said in ("memory-s1", "nan-s1", "after-nan-s1", "gated-s1", "diverged", "data.batch_size"):
                assert said in text, said
        assert "9" in told
        assert "12" in told
