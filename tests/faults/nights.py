"""A night in a project of its own, with faults at places of the test's choice, driven by its real script."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.journal import Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold
from ctexp.warm.parent import Parent
from tests.project import INV, call, git, make_project

_MINE = ("CTEXP_", "WANDB_", "DVC_")

LOADED_BY_JOBS = """
import os as _os
import sys as _sys

if _os.environ.get("CTEXP_JOB") and "train" in _sys.argv[1:3]:
    _sys.path.insert(0, _os.path.dirname(_os.path.abspath(__file__)))
    import faults
"""
"""Appended to a project's tasks.py: what is in faults.py happens in trainings of a queue, nowhere else."""


def night_project(folder: Path, name: str, plan: str, faults: str = "", executor: str = "") -> Path:
    """A committed project with the phantom set, a rendered plan, and what is to go wrong.

    Args:
        name: of the plan.
        plan: its text.
        faults: Python, loaded by each training of the night; it may patch what it likes.
        executor: that carries it out; empty for what is meant where none is named.
    """
    project = make_project(folder)
    (project / ".venv").symlink_to(sys.prefix)
    if faults:
        (project / "faults.py").write_text(faults)
        with (project / "tasks.py").open("a") as tasks:
            tasks.write(LOADED_BY_JOBS)
    (project / "research" / "plans").mkdir(parents=True)
    (project / "research" / "plans" / f"{name}.yaml").write_text(plan)
    shutil.copytree(_phantom() / "data", project / "data")
    call(project, INV, "plan-render", name, *(["--executor", executor] if executor else []))
    with (project / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/fired/\n/.venv\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a night")
    return project


@cache
def _phantom() -> Path:
    """A project with the phantom set, drawn once for all nights of this process: that takes a minute."""
    project = make_project(Path(tempfile.mkdtemp(prefix="phantom-")) / "project")
    atexit.register(shutil.rmtree, project.parent)
    call(project, INV, "data-phantom")
    assert git(project, "status", "--porcelain") == ""
    return project


def start(
    project: Path, name: str, *flags: str, limit: float = 600, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the night's script to its end, however that comes, once no earlier start holds the locks."""
    environment = _environment(project) | variables
    until = time.monotonic() + limit
    while True:
        done = subprocess.run(
            [shutil.which("bash") or "bash", f"scripts/{name}.sh", *flags],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
        )
        if done.returncode != 75 or time.monotonic() > until:
            return done
        time.sleep(0.5)


def calm(project: Path, name: str) -> Night:
    """A night whose gate is not met and in which nothing else goes wrong; a warm trainer makes it short."""
    with Parent(project, _environment(project)) as warm:
        done = start(project, name, limit=1200, CTEXP_WARM=str(warm.socket))
    assert done.returncode == 12, done.stdout + done.stderr
    assert "in a fresh process" not in done.stdout + done.stderr
    return state(newest(project))


def _environment(project: Path) -> dict[str, str]:
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(_MINE)}
    return nobody | {"XDG_CACHE_HOME": str(project / ".cache"), "OMP_NUM_THREADS": "1"}


def newest(project: Path) -> QueueDir:
    """The queue that was begun last."""
    return queues(project / "runs")[-1]


def state(queue: QueueDir) -> Night:
    """What its journal amounts to."""
    return fold(Orders.read(queue.orders), Journal(queue.journal).read())


def night_json(queue: QueueDir) -> dict[str, Any]:
    """The morning's document."""
    document: dict[str, Any] = json.loads(queue.night_json.read_text())
    return document
