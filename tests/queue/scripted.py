"""A project with a plan and its rendered script, and starts of that script."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctexp.planning.plan.load import load
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script
from tests.project import TINY, add_tiny_set, git, make_project

PLAN = f"""
window: 1h
seeds: [1]
common: [{", ".join(TINY)}]
reserve: {{disk: 1MB, analysis: 1m}}
limits: {{grace: 1s}}
analysis: []
retries: 0
experiments:
  a: {{}}
  b:
    overrides: [model.dropout=0.3]
    needs: [a]
"""

STUB = """#!/bin/bash
echo "$PPID $*" >>"$CTEXP_ROOT/called"
[[ ! -e $CTEXP_ROOT/forever ]] || sleep 99
exit 3
"""
"""An `inv` that trains nothing and fails at once, or lasts as long as there is a file `forever`."""


def scripted_project(folder: Path, plan: str = PLAN) -> Path:
    """A committed project with the plan `night`, its script, and an environment whose `inv` is a stub."""
    project = make_project(folder)
    add_tiny_set(project)
    environment = project / ".venv"
    (environment / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", environment)
    (environment / "lib").symlink_to(Path(sys.prefix) / "lib")
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / "bin" / "inv").write_text(STUB)
    (environment / "bin" / "inv").chmod(0o755)
    (project / "research" / "plans").mkdir(parents=True)
    (project / "scripts").mkdir(exist_ok=True)
    render(project, plan)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a night")
    return project


def render(project: Path, plan: str, name: str = "night") -> Path:
    """Write a plan and its script."""
    file = project / "research" / "plans" / f"{name}.yaml"
    file.write_text(plan)
    shown = f"research/plans/{name}.yaml"
    loaded = load(file, shown)
    script = project / "scripts" / f"{name}.sh"
    script.write_text(bash_script(Script(loaded.plan, shown, loaded.sha256)))
    return script


def environment(project: Path) -> dict[str, str]:
    """Without settings of this machine."""
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(("CTEXP_", "WANDB_"))}
    return nobody | {"XDG_CACHE_HOME": str(project / ".cache"), "OMP_NUM_THREADS": "1"}


def begun(project: Path, *flags: str, name: str = "night", **options: Any) -> subprocess.Popen[str]:
    """Start the script and leave it alone."""
    defaults: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        ["bash", f"scripts/{name}.sh", *flags],
        cwd=project,
        env=environment(project),
        stdin=subprocess.DEVNULL,
        **defaults | options,
    )


def start(project: Path, *flags: str, name: str = "night") -> tuple[int, str]:
    """Run the script to its end: its exit code, and all it said."""
    process = begun(project, *flags, name=name, stderr=subprocess.STDOUT)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said
