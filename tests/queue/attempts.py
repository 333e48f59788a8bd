"""A queue whose jobs run as they do at night, with a stub for `inv`: this process is the night's script."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctexp.planning.plan.jobs import Job
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event
from ctexp.queue.orders import Orders
from ctexp.queue.state import JobNow, fold
from tests.project import HERE
from tests.queue.written import Writer, job, queue

STUB = Path(__file__).with_name("stub_inv.py")
PROGRAM = (sys.executable, "-P", "-m", "ctexp.queue")


class Attempts:
    """Runs attempts at the jobs of a queue.

    Args:
        root: a folder for everything.
        jobs: of the queue.
        changes: to its orders; a silence of 30 s and a grace of 20 s otherwise.
    """

    def __init__(self, root: Path, *jobs: Job, **changes: Any) -> None:
        self.root = root
        usual = {"silence_seconds": 30.0, "grace_seconds": 20.0, "analysis_seconds": 0.0}
        self.queue: QueueDir = queue(root / "runs", jobs or (job("a"),), **usual | changes)
        self.writer = Writer(self.queue)
        programs = root / "bin"
        programs.mkdir()
        inv = programs / "inv"
        inv.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n')
        inv.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(HERE),
            "CTEXP_QUEUE_DIR": str(self.queue.path),
            "PYTHONUNBUFFERED": "1",
        }

    def begin(self, pid: int | None = None, **changes: Any) -> None:
        """The night begins, without a window unless told otherwise."""
        self.writer.begin(pid=pid or os.getpid(), **{"closes_uptime": None, "commit": None} | changes)

    def start(self, stub: str, key: str = "a-s1", *more: str, **options: Any) -> subprocess.Popen[bytes]:
        """Begin an attempt and leave it alone; its output goes to the file `screen`."""
        words = [*PROGRAM, "run", key, "--", "inv", "train", f"stub={stub}", *more]
        with (self.root / "screen").open("ab") as screen:
            streams: dict[str, Any] = {"stdout": screen, "stderr": screen} | options
            return subprocess.Popen(words, cwd=self.root, env=self.environment, **streams)

    def run(self, stub: str, key: str = "a-s1", *more: str, code: int = 0) -> Event:
        """Carry out an attempt to its end; the event of that."""
        done = self.start(stub, key, *more).wait(60)
        assert done == code, self.screen
        return self.ends[-1]

    @property
    def screen(self) -> str:
        """What stood on the screen."""
        return (self.root / "screen").read_text()

    @property
    def ends(self) -> list[Event]:
        """The ends of all attempts."""
        return [event for event in self.writer.journal.read() if event["kind"] == "end"]

    @property
    def starts(self) -> list[Event]:
        """The beginnings of all attempts."""
        return [event for event in self.writer.journal.read() if event["kind"] == "start"]

    def job(self, name: str = "a-s1") -> JobNow:
        """What a job has come to."""
        return fold(Orders.read(self.queue.orders), self.writer.journal.read()).jobs[name]

    def log(self, name: str = "a-s1.1") -> str:
        """The output of an attempt."""
        return self.queue.output(name).read_text()


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
