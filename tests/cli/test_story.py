"""The main story through the real command line: import, train, look, evaluate, train again, the same."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ctexp.cli.verb import perform
from ctexp.evaluation.predictions import Predictions
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.kaggle import build_kaggle_tree
from tests.project import HERE, TINY, add_tiny_set, inv, make_project

TYPED = (
    *("model=tiny_cnn", "data.batch_size=32", "data.name=kaggle", "model.pretrained=false"),
    *("trainer.max_epochs=1", "data.image_size=32", "trainer.accelerator=cpu"),
    *("run.tags=[first,second]", "run.description='why, and \"how\"'"),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a Kaggle-shaped set, and one run on it."""
    folder = make_project(tmp_path_factory.mktemp("story") / "project")
    tree = tmp_path_factory.mktemp("kaggle")
    build_kaggle_tree(tree, scale=0.06, seed=3)
    imported = inv(folder, "data-import", str(tree), "--name", "kaggle")
    assert re.search(r"leaks .* normal test images are exact copies of", imported.stdout)
    changed = folder / "conf" / "loss" / "cross_entropy.yaml"
    changed.write_text(changed.read_text() + "# changed\n")
    done = inv(folder, "train", *TYPED)
    assert "=== EXPERIMENT MANIFEST ===" in done.stdout
    assert "=== EXPERIMENT RESULTS ===" in done.stdout
    assert "uncommitted changes in code or configuration: 1 file" in done.stderr
    assert "images of test left out, copies of training images; the clean scheme is used" in done.stderr
    return folder


def latest(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(inv(project, "show", "latest", "--json").stdout)
    return document


def test_the_record_is_whole_and_follows_its_published_schema(project: Path) -> None:
    shown = latest(project)
    schema = json.loads((HERE / "docs" / "schemas" / "show.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(shown)
    files = set(shown["files"])
    assert files >= {
        *("manifest.json", "config.yaml", "overrides.yaml", "git.diff", "environment.txt"),
        *("events.jsonl", "train.log", "history.csv", "predictions_val.parquet", "metrics.json"),
        *("attempts/1.json", "checkpoints/best.ckpt", "checkpoints/last.ckpt", "checkpoints/sha256sums"),
        *("figures/curves.png", "figures/confusion_val.png", "figures/reliability_val.png"),
        *("summary.txt", "result.json"),
    }
    assert shown["state"] == "finished"
    manifest = shown["manifest"]
    assert manifest["tags"] == ["first", "second"]
    assert manifest["description"] == 'why, and "how"'
    assert manifest["tracker"]["run_id"] == f"{shown['run_id']}-1"
    assert manifest["git"]["dirty"] is True
    assert (manifest["dataset"]["name"], manifest["dataset"]["split"]) == ("kaggle", "clean")
    per_class = shown["metrics"]["splits"]["val"]["per_class"]["normal"]
    assert {"precision", "recall", "f1"} <= set(per_class)
    run = RunDir(project / "runs" / shown["run_id"])
    sums = subprocess.run(["sha256sum", "--check", "--quiet", "sha256sums"], cwd=run.checkpoints, check=False)
    assert sums.returncode == 0
    assert list(run.path.glob(f"wandb/offline-run-*-{shown['run_id']}-1"))
    assert "EXPERIMENT RESULTS" in run.train_log.read_text()


@pytest.mark.slow
def test_the_command_it_prints_gives_the_same_predictions(project: Path) -> None:
    first = latest(project)
    words = shlex.split(first["manifest"]["command"])
    assert words[:2] == ["scripts/inv", "train"]
    said = inv(project, *words[1:], "--json")
    second = latest(project)
    assert json.loads(said.stdout)["run_id"] == second["run_id"]
    assert first["run_id"] != second["run_id"]
    assert first["metrics"] == second["metrics"]
    tables = [
        Predictions.read(RunDir(project / "runs" / shown["run_id"]).predictions("val"))
        for shown in (first, second)
    ]
    assert tables[0].logits.tobytes() == tables[1].logits.tobytes()


def test_runs_are_listed_filtered_and_sorted(project: Path) -> None:
    listed = json.loads(inv(project, "runs", "--tag", "first", "--sort", "val_loss", "--json").stdout)
    assert listed["matching"] == len(run_paths(project / "runs"))
    losses = [run["metrics"]["val/loss"] for run in listed["runs"]]
    assert losses == sorted(losses)
    assert json.loads(inv(project, "runs", "--tag", "none", "--json").stdout)["runs"] == []
    assert "did you mean 'finished'" in inv(project, "runs", "--state", "finishd", code=2).stderr


@pytest.mark.slow
def test_evaluate_adds_a_split_and_the_test_split_stays_sealed(project: Path) -> None:
    run = RunDir(run_paths(project / "runs")[0])
    before = json.loads(run.metrics.read_text())["splits"]["val"]
    summary = json.loads(inv(project, "evaluate", "--run", run.id, "--split", "train", "--json").stdout)
    assert summary["n"] == len(Predictions.read(run.predictions("train")).label)
    splits = json.loads(run.metrics.read_text())["splits"]
    assert splits["val"] == before
    assert set(splits) == {"train", "val"}
    assert "sealed" in inv(project, "evaluate", "--run", run.id, "--split", "test", code=2).stderr


@pytest.mark.slow
def test_cfg_and_dry_run_make_nothing(project: Path) -> None:
    before = run_paths(project / "runs")
    words = ("model=resnet50", *TYPED[1:])
    cfg = inv(project, "train", *words, "--cfg").stdout
    assert "name: resnet50" in cfg
    manifest = json.loads(inv(project, "train", *words, "--dry-run", "--json").stdout)
    assert manifest["hyperparameters"]["model.name"] == "resnet50"
    assert run_paths(project / "runs") == before


def test_json_is_the_only_thing_on_stdout(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    add_tiny_set(project)
    monkeypatch.chdir(project)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)

    def train(*overrides: str, resume: str | None = None) -> tuple[dict[str, Any], str]:
        flags = {"override": list(overrides), "resume": resume, "cfg": False, "dry_run": False}
        perform("train:train", flags | {"yes": True, "json": True}, debug=False)
        said = capfd.readouterr()
        return json.loads(said.out), said.err

    capfd.readouterr()
    result, told = train(*TINY)
    assert result["state"] == "finished"
    assert "EXPERIMENT RESULTS" in told
    again, told = train(resume=result["run_id"])
    assert again["run_id"] == result["run_id"]
    assert "nothing to resume" in told
