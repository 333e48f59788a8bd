"""docs/overnight.md, carried out word for word."""

import json
from pathlib import Path

import pytest

from ctexp.queue.folder import queues
from tests.overnight import begun, commands, files, typed


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    project = begun(tmp_path)
    for command, done in typed(project):
        print(f"$ {command}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    queue = queues(project / "runs")[-1]
    document = json.loads(queue.night_json.read_text())
    assert document["exit_code"] == 0
    assert {job["state"] for job in document["jobs"]} <= {"done", "skipped"}
    assert list((project / "runs" / "reports").glob("*.html"))
    assert queue.id in (project / "research" / "LOG.md").read_text()


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
