"""`inv wandb-sync` drives W&B's official client, which sends all to whoever answers as the service does."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from ctexp.record.run_dir import RunDir
from ctexp.record.segments import unsynced
from ctexp.trackers.background import Background
from ctexp.trackers.choosing import make_trackers
from tests import judged
from tests.project import INV, make_project
from tests.trackers.told import logger, outcome, tracked
from tests.trackers.wandb_service import Arrived, service

pytestmark = pytest.mark.slow


def follow(folder: Path, tracker_id: str, config: dict[str, object]) -> None:
    """What an offline run leaves in a folder."""
    picture = folder / "curves.png"
    Image.new("RGB", (4, 3)).save(picture)
    background = Background(make_trackers(logger("wandb"), pytest.fail), 60, pytest.fail)
    background.start(tracked(folder, tracker_id=tracker_id, config=config))
    for epoch in (1, 2):
        background.log({"val/loss": 1 / epoch}, epoch)
    background.finish(outcome({"val/accuracy": 0.75}, confusion=[[1, 0, 0, 0]] * 4, figures=(picture,)))


def sync(project: Path, address: str, code: int, *words: str) -> subprocess.CompletedProcess[str]:
    own = {"WANDB_BASE_URL": address, "WANDB_API_KEY": "a" * 40, "HOME": str(project)}
    done = subprocess.run(
        [INV, "wandb-sync", *words],
        cwd=project,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def assert_arrived(arrived: Arrived, tracker_id: str) -> None:
    said = arrived.runs[tracker_id]
    assert (said["project"], said["groupName"], said["tags"]) == ("ctexp", "group", ["a"])
    assert json.loads(said["config"])["seed"]["value"] == 7
    assert [(row["epoch"], row["val/loss"]) for row in arrived.history[tracker_id]] == [(1, 1.0), (2, 0.5)]
    assert arrived.summary[tracker_id]["final/val/accuracy"] == 0.75
    assert arrived.ended[tracker_id] == 0


def test_offline_runs_arrive_once_and_whole(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    run = judged.a_run(project / "runs", root=project)
    follow(run.path, f"{run.id}-1", {"seed": 7})
    handler = project / "runs" / "research" / "night_20261121-050417"  # where handlers leave what they log
    handler.mkdir(parents=True)
    follow(handler, "night-a-1", {"seed": 7})

    with service() as (address, arrived):
        gone = address
        said = json.loads(sync(project, address, 0, "--json").stdout)
        assert said == {"schema_version": 1, "synced": 2, "failed": {}}
        for tracker_id in (f"{run.id}-1", "night-a-1"):
            assert_arrived(arrived, tracker_id)
        assert any("curves" in name for name in arrived.files)
        assert not unsynced(run.path)
        arrived.runs.clear()
        assert sync(project, address, 0).stdout == "nothing to sync\n"
        assert not arrived.runs

    follow(run.path, f"{run.id}-2", {"seed": 7})
    done = sync(project, gone, 4, "--run", run.id)
    assert f"{gone} does not answer" in done.stderr
    assert len(unsynced(run.path)) == 1, "what did not arrive is tried again"


def test_a_record_that_was_not_tracked_arrives_too(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    run: RunDir = judged.a_run(project / "runs", root=project, tags=("baseline",))
    for picture in run.figures.iterdir():
        Image.new("RGB", (4, 3)).save(picture)
    done = subprocess.run(
        [INV, "export-runs", "--to", "wandb"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with service() as (address, arrived):
        sync(project, address, 0)
    (name,) = arrived.runs
    assert name == f"{run.id}-record"
    assert arrived.runs[name]["tags"] == ["baseline"]
    metrics = json.loads(run.metrics.read_text())["splits"]["val"]["metrics"]
    assert arrived.summary[name]["final/val/accuracy"] == metrics["val/accuracy"]["value"]
    assert [row["rss_mb"] for row in arrived.history[name] if "rss_mb" in row] == [100, 120]
