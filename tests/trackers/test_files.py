"""Trackers that leave files: read back by the libraries whose they are, or by nothing but Python."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from invoke.exceptions import Exit
from PIL import Image

from ctexp.cli.verb import perform
from ctexp.record.find import run_paths
from ctexp.record.manifest import Tracker
from ctexp.record.run_dir import RunDir
from ctexp.trackers import choosing
from ctexp.trackers.background import Background
from ctexp.trackers.choosing import make_trackers
from tests.project import HERE, TINY, add_tiny_set, inv, make_project
from tests.trackers.told import BEGAN, logger, outcome, tracked

_READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1])
found.Reload()
tags = found.Tags()
scalars = {tag: [(e.step, e.value, e.wall_time) for e in found.Scalars(tag)] for tag in tags["scalars"]}
texts = {tag: found.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags["tensors"]}
pictures = {tag: (found.Images(tag)[0].width, found.Images(tag)[0].height) for tag in tags["images"]}
print(json.dumps([scalars, texts, pictures, "torch" in sys.modules]))
"""


def follow(kind: str, folder: Path) -> None:
    picture = folder / "curves.png"
    Image.new("RGB", (4, 3)).save(picture)
    (folder / "config.yaml").write_text("seed: 1\n")
    background = Background(make_trackers(logger(kind), pytest.fail), 120, pytest.fail)
    background.start(tracked(folder))
    background.log({"epoch": 1.0, "val/loss": 0.5, "val/mcc": None}, 1)
    background.log({"epoch": 2.0, "val/loss": 0.25}, 2)
    background.finish(
        outcome(
            {"val/accuracy": 0.75, "val/auroc": None},
            confusion=[[1, 0, 0, 0]] * 4,
            figures=(picture,),
            documents=(folder / "config.yaml",),
        )
    )


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_its_files(tmp_path: Path) -> None:
    follow("tensorboard", tmp_path)
    place = tmp_path / "tracker" / "tensorboard" / "tiny-1"
    done = subprocess.run([sys.executable, "-c", _READ, place], capture_output=True, text=True, check=True)
    scalars, texts, pictures, _ = json.loads(done.stdout)
    assert scalars.keys() == {"val/loss", "final/val/accuracy"}
    assert [(step, value) for step, value, _ in scalars["val/loss"]] == [(1, 0.5), (2, 0.25)]
    assert scalars["final/val/accuracy"][0][:2] == [2, 0.75]
    assert scalars["val/loss"][0][2] > BEGAN.timestamp()
    assert "seed: 1" in texts["config"]
    assert "description: why" in texts["run"]
    assert pictures == {"figures/curves": [4, 3]}


@pytest.mark.slow
def test_comet_s_archive_holds_it_all(tmp_path: Path) -> None:
    """In a process of its own, since the client stays in one for good."""
    words = (
        "import sys, pathlib, tests.trackers.test_files as t; t.follow('comet', pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", words, tmp_path], cwd=HERE, check=True, capture_output=True)
    (archive,) = (tmp_path / "tracker" / "comet").glob("*.zip")
    with zipfile.ZipFile(archive) as held:
        names = held.namelist()
        said = [json.loads(line) for line in held.read("messages.json").splitlines()]
    losses = [
        (m["payload"]["metric"]["metricValue"], m["payload"]["metric"]["epoch"])
        for m in said
        if m["type"] == "metric_msg" and m["payload"]["metric"]["metricName"] == "val/loss"
    ]
    assert [(float(value), epoch) for value, epoch in losses] == [(0.5, 1), (0.25, 2)]
    text = json.dumps(said)
    assert "final/val/accuracy" in text
    assert all(word in text for word in ("config.yaml", "curves", "confusion", "group", "why"))
    assert len(names) > 3


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    monkeypatch.chdir(project)
    monkeypatch.setattr(choosing, "find_spec", lambda name: None if name == "mlflow" else object())
    words = [*TINY[:-1], "logger=csv", "logger.also=[mlflow,tensorboard]"]
    flags = {"override": words, "cfg": False, "dry_run": False, "resume": None, "yes": True, "json": False}
    with pytest.raises(Exit) as left:
        perform("train:train", flags, debug=False)
    assert left.value.code == 4
    said = capfd.readouterr().err
    assert "not installed: mlflow (package mlflow)" in said
    assert "scripts/inv --extra mlflow, or choose logger=csv" in said
    assert not (project / "runs").exists()


@pytest.mark.slow
def test_a_training_with_four_trackers_is_the_training_without_any(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    words = [*TINY[:-1], "logger.timeout=120"]
    inv(project, "train", *words, "logger=none", "run.name=plain")
    inv(project, "train", *words, "logger=mlflow", "logger.also=[wandb,tensorboard,comet]", "run.name=told")
    plain, told = sorted((RunDir(path) for path in run_paths(project / "runs")), key=lambda run: run.id)
    assert plain.metrics.read_bytes() == told.metrics.read_bytes()
    assert plain.predictions("val").read_bytes() == told.predictions("val").read_bytes()
    reading = told.read()
    assert reading.manifest is not None
    assert reading.manifest.tracker == Tracker(
        kind="mlflow", also=("wandb", "tensorboard", "comet"), run_id=f"{told.id}-1", mode="offline"
    )
    assert reading.result is not None
    assert not [line for line in reading.result.warnings if "tracker" in line]
    assert (project / "runs" / "mlflow.db").is_file()
    assert list(told.path.glob("wandb/offline-run-*/*.wandb"))
    assert list(told.path.glob("tracker/comet/*.zip"))
    assert list(told.path.glob("tracker/tensorboard/*/events.*"))
