"""docs/overnight.md, carried out word for word."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
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

    who = {
        f"GIT_{role}_{what}": "test@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(_MINE)}
    environment = nobody | who | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    typed = commands()
    assert len(typed) >= 8
    for command in typed:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"$ {command}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if _DETACHED in command:
            await_the_end(project)
    queue = queues(project / "runs")[-1]
    document = json.loads(queue.night_json.read_text())
    assert document["exit_code"] == 0
    assert {job["state"] for job in document["jobs"]} <= {"done", "skipped"}
    assert list((project / "runs" / "reports").glob("*.html"))
    assert queue.id in (project / "research" / "LOG.md").read_text()


def await_the_end(project: Path) -> None:
    """Sleep as the researcher does."""
    until = time.monotonic() + 900
    while time.monotonic() < until:
        there = queues(project / "runs")
        if there and there[-1].night_json.exists() and not there[-1].lock().is_held():
            return
        time.sleep(1)
    raise AssertionError("the night did not end")


def test_the_page_shows_every_verb_of_the_night_and_a_plan() -> None:
    told = "\n".join(commands())
    for words in (
        "data-phantom",
        "plan-check",
        "plan-render",
        "--dry-run",
        "--detach",
        "queue-status",
        "report",
    ):
        assert words in told
    assert list(files()) == ["research/plans/first-night.yaml"]
