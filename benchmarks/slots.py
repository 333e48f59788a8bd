"""The phantom night on two processor slots against one job after the other.

    python -m benchmarks.slots [JOBS]

Real trainings by the real script, in a project of its own; 6 jobs unless told otherwise. First the night as
it is without a word in `conf/executor`, each job with all processors; its runs say what memory such a job
takes. Then anew with two slots of 2 GB, each job with its share of the processors. Both begin with nothing
warm. Prints the seconds from the first job's beginning to the last one's end, and their ratio; the most that
ran at once, and the most memory that the jobs of a slot were expected to take and were seen to take together.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.journal import Journal
from tests.faults.nights import newest, night_project

PLAN = """
window: 4h
seeds: [{seeds}]
common:
  - data=phantom
  - model=tiny_cnn
  - data.image_size=64
  - data.batch_size=24
  - trainer.accelerator=cpu
  - trainer.max_epochs=8
  - trainer.early_stopping=null
  - logger=none
cooldown: {{pause: 0s}}
reserve: {{disk: 1MB, analysis: 1m}}
analysis: []
experiments:
  plain: {{}}
"""

DECLARED = 2 * 10**9
SLOTS = """
kind: local
devices: [{name: "cpu#1", memory: 2GB}, {name: "cpu#2", memory: 2GB}]
jobs_per_device: 1
"""

_LOOK_SECONDS = 0.2


class Watch(threading.Thread):
    """Sees what the jobs of each device take, from their runners down."""

    def __init__(self, project: Path) -> None:
        super().__init__(daemon=True)
        self._project, self._over = project, threading.Event()
        self.most: dict[str, int] = defaultdict(int)

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(_LOOK_SECONDS):
            events = [event for queue in queues(self._project / "runs")[-1:] for event in _events(queue)]
            ended = {(one["job"], one["attempt"]) for one in events if one["kind"] == "end"}
            place = {one["job"]: one["device"] for one in events if one["kind"] == "place"}
            taken: dict[str, int] = defaultdict(int)
            for one in events:
                if one["kind"] == "start" and (one["job"], one["attempt"]) not in ended:
                    taken[place.get(one["job"], "the machine")] += _resident(one["pid"])
            for device, size in taken.items():
                self.most[device] = max(self.most[device], size)

    def stop(self) -> None:
        """It is over."""
        self._over.set()
        self.join()


def _events(queue: QueueDir) -> list[dict[str, Any]]:
    return Journal(queue.journal).read()


def _resident(pid: int) -> int:
    """Bytes of a process and all below it; shared pages count in each."""
    try:
        runner = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (runner, *runner.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def night(project: Path) -> tuple[float, list[dict[str, Any]], dict[str, int]]:
    """One start of the script: its seconds, its events, and what was seen of memory."""
    watch = Watch(project)
    mine = ("CTEXP_", "WANDB_", "DVC_", "OMP_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(mine)}
    environment |= {"XDG_CACHE_HOME": str(project / ".cache"), "CTEXP_WARM": "none: each job begins cold"}
    time.sleep(1.1)  # a queue's name tells whole seconds
    watch.start()
    subprocess.run(
        ["bash", "scripts/night.sh", "--fresh"],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    watch.stop()
    events = _events(newest(project))
    begins = [one["uptime"] for one in events if one["kind"] == "start"]
    ends = [one["uptime"] for one in events if one["kind"] == "end"]
    return max(ends) - min(begins), events, watch.most


def at_once(events: list[dict[str, Any]]) -> int:
    """The most attempts that were under way at a time."""
    now = most = 0
    for one in events:
        now += {"start": 1, "end": -1}.get(one["kind"], 0)
        most = max(most, now)
    return most


def main(jobs: int) -> None:
    """Carry out both nights, and print what came of them."""
    plan = PLAN.format(seeds=", ".join(map(str, range(1, jobs + 1))))
    with tempfile.TemporaryDirectory(prefix="ctexp-slots-") as folder:
        project = night_project(Path(folder) / "project", "night", plan)
        alone, events, most = night(project)
        print(f"{os.cpu_count()} processors, {jobs} jobs of the phantom set")
        print(
            f"one after the other   {alone:7.1f} s  {at_once(events)} at once, {_gb(max(most.values()))} seen"
        )
        (project / "conf" / "executor" / "local.yaml").write_text(SLOTS)
        beside, events, most = night(project)
        expected = max((one["bytes"] or 0 for one in events if one["kind"] == "place"), default=0)
        print(f"two slots of 2 GB     {beside:7.1f} s  {at_once(events)} at once")
        for device, size in sorted(most.items()):
            print(f"  {device}: {_gb(expected)} expected, {_gb(size)} seen, {_gb(DECLARED)} declared")
        print(f"ratio                 {alone / beside:7.2f}")
        if expected > DECLARED or max(most.values()) > DECLARED:
            raise SystemExit("more memory than declared")


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
