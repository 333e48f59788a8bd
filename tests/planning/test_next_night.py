"""A night that was proposed, carried out by its script, and learned from by the next proposal."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.faults.nights import newest, night_json, start
from tests.planning.histories.pictures import Pictures
from tests.planning.histories.six import project_with
from tests.planning.histories.trained import train
from tests.project import git, inv

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MOVES = """
good_rate:
  category: training
  overrides: [optimizer.lr=3e-3]
  hypothesis: The learning rate is far too low.
  expected: Far more is learned in as many epochs.
  effects:
    val/macro_f1: {gain: 0.1, sd: 0.2}
  source: a guess, wide

one_epoch:
  category: training
  overrides: [trainer.max_epochs=1]
  hypothesis: One epoch is best.
  expected: More is learned.
  effects:
    val/macro_f1: {gain: 0.1, sd: 0.2}
  source: a guess, wide, and wrong
"""
"""One change that helps and one that ruins, both believed in."""


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two proposals and the night between them: `first`, `night`, `second`, and `explain` after it."""
    project = project_with(tmp_path_factory.mktemp("nights") / "project", Pictures(train=32, val=24, test=4))
    shutil.rmtree(project / "conf" / "moves")
    (project / "conf" / "moves").mkdir()
    (project / "conf" / "moves" / "own.yaml").write_text(MOVES)
    for seed in (1, 2, 3):
        train(project, "run.name=base", "optimizer.lr=4e-4", "trainer.max_epochs=6", f"seed={seed}")
    first = _plan(project, "first")
    inv(project, "plan-render", "first")
    with (project / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/.venv\n/.cache\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=first")
    done = start(project, "first", limit=1500)
    assert done.returncode in (0, 12), done.stdout + done.stderr
    second = _plan(project, "second")
    explain = json.loads(inv(project, "plan", "--explain", "--json").stdout)
    return {
        "first": first,
        "night": night_json(newest(project)),
        "second": second,
        "page": (project / "research" / "plans" / "second.md").read_text(),
        "moves": {one["title"]: one for one in explain["moves"]},
        "queue": newest(project).id,
    }


def test_both_changes_were_proposed_and_carried_out(nights: dict[str, Any]) -> None:
    assert {"good_rate", "one_epoch"} <= _moves(nights["first"])
    states = {job["job"]: job["state"] for job in nights["night"]["jobs"]}
    assert set(states.values()) == {"done"}


def test_the_next_plan_tells_what_the_night_said(nights: dict[str, Any]) -> None:
    told = "\n".join(nights["second"]["follows"])

    for name in ("good_rate", "one_epoch"):
        assert name in told
    assert nights["queue"] in told
    summary = nights["page"].partition("## 2.")[0]
    assert "### What the last night said, and what follows" in summary
    assert nights["queue"] in summary


def test_what_failed_is_not_proposed_again(nights: dict[str, Any]) -> None:
    assert "one_epoch" not in _moves(nights["second"])
    why = next(one["why"] for one in nights["second"]["left_out"] if one["move"] == "one_epoch")
    assert why
    assert "apply" not in why


def test_what_is_believed_has_moved_to_what_was_seen(nights: dict[str, Any]) -> None:
    its = nights["moves"]["one_epoch"]

    seen = [one["gain"] for one in (*its["tried"], *its["elsewhere"])]
    assert seen
    assert max(seen) < 0
    if its["posterior"]:
        assert its["posterior"]["gain"] < its["prior"]["gain"]
        assert its["posterior"]["sd"] < its["prior"]["sd"]


def test_what_is_better_is_gone_on_with(nights: dict[str, Any]) -> None:
    assert nights["second"]["incumbent"] != nights["first"]["incumbent"]
    assert "good_rate" not in _moves(nights["second"])
    assert nights["second"]["diagnosis"]["established"]


def _plan(project: Path, name: str) -> dict[str, Any]:
    """What `inv plan` proposes."""
    told: dict[str, Any] = json.loads(inv(project, "plan", name, "--window", "1h", "--json").stdout)
    return told


def _moves(told: dict[str, Any]) -> set[str]:
    return {one["move"] for one in told["experiments"] if one["move"]}
