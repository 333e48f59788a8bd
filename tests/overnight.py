"""docs/overnight.md as it is typed: its commands and files, and a project in which they are carried out."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ctexp.queue.folder import queues
from tests.project import HERE, git, make_project

PAGE = (HERE / "docs" / "overnight.md").read_text()
_MINE = ("CTEXP_", "WANDB_", "DVC_")
_DETACHED = "--detach"


def commands() -> list[str]:
    """What the page has people type, in order."""
    return re.findall(r"^    \$ (.+)$", PAGE, re.MULTILINE)


def files() -> dict[str, str]:
    """The files it has people write: YAML whose first line is its place."""
    blocks = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return dict(blocks)


def begun(folder: Path) -> Path:
    """A project with the page's files, in which its commands can be typed."""
    project = make_project(folder / "project")
    (project / ".venv").symlink_to(sys.prefix)
    (project / "scripts").mkdir()
    (project / "scripts" / "inv").write_text('#!/bin/sh\nexec .venv/bin/inv "$@"\n')
    (project / "scripts" / "inv").chmod(0o755)
    with (project / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/.venv\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=from nothing")
    for place, text in files().items():
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        (project / place).write_text(text)
    return project


def typed(project: Path) -> Iterator[tuple[str, subprocess.CompletedProcess[str]]]:
    """Every command of the page, one after another, and what became of it; sleeps while the night lasts."""
    who = {
        f"GIT_{role}_{what}": "test@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(_MINE)}
    environment = nobody | who | {"XDG_CACHE_HOME": str(project.parent / "cache"), "OMP_NUM_THREADS": "1"}
    for command in commands():
        yield (
            command,
            subprocess.run(
                ["bash", "-c", command],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            ),
        )
        if _DETACHED in command:
            _await_the_end(project)


def _await_the_end(project: Path) -> None:
    """Sleep as the researcher does."""
    until = time.monotonic() + 900
    while time.monotonic() < until:
        there = queues(project / "runs")
        if there and there[-1].night_json.exists() and not there[-1].lock().is_held():
            return
        time.sleep(1)
    raise AssertionError("the night did not end")
