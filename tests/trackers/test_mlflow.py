"""What MLflow holds of runs, read back through its own client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ctexp.core import files
from ctexp.record.run_dir import RunDir
from ctexp.trackers.background import Background
from ctexp.trackers.choosing import make_trackers
from tests import judged
from tests.project import inv, make_project
from tests.record import samples
from tests.trackers.told import BEGAN, ENDED, logger, outcome, tracked

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def client(runs: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{runs}/mlflow.db")


def runs_of(store: Any) -> list[Any]:
    found: list[Any] = store.search_runs([store.get_experiment_by_name("ctexp").experiment_id])
    return found


def artifacts(store: Any, run: Any, path: str | None = None) -> Iterator[str]:
    for entry in store.list_artifacts(run.info.run_id, path):
        if entry.is_dir:
            yield from artifacts(store, run, entry.path)
        else:
            yield entry.path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def test_a_run_that_trains(tmp_path: Path) -> None:
    picture = tmp_path / "curves.png"
    Image.new("RGB", (4, 3)).save(picture)
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    background = Background(make_trackers(logger("mlflow"), pytest.fail), 60, pytest.fail)
    background.start(tracked(tmp_path, config={"seed": 1, "data": {"name": "x", "fold": None}}))
    background.log({"epoch": 1.0, "val/loss": 0.5, "val/mcc": None}, 1)
    background.log({"epoch": 2.0, "val/loss": float("nan")}, 2)
    background.finish(
        outcome(
            {"val/accuracy": 0.75, "val/auroc": None},
            confusion=[[1, 0, 0, 0]] * 4,
            figures=(picture,),
            documents=(tmp_path / "config.yaml",),
            exit_code=143,
        )
    )
    store = client(tmp_path)
    (run,) = runs_of(store)
    assert run.data.params == {"seed": "1", "data.name": "x", "data.fold": "null"}
    assert run.data.metrics["final/val/accuracy"] == 0.75
    first, second = store.get_metric_history(run.info.run_id, "val/loss")
    assert (first.step, first.value, second.step) == (1, 0.5, 2)
    assert second.value != second.value
    assert (run.info.status, run.info.start_time) == ("KILLED", round(BEGAN.timestamp() * 1000))
    assert run.info.end_time == round(ENDED.timestamp() * 1000)
    assert run.data.tags["mlflow.note.content"] == "why"
    assert run.data.tags["ctexp.tags"] == "a"
    assert sorted(artifacts(store, run)) == ["config.yaml", "confusion.json", "figures/curves.png"]


def history(run: RunDir, *losses: float) -> None:
    rows = "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(losses, start=1))
    files.write_text(run.history, f"epoch,val/loss\n{rows}")


def test_records_are_pushed_once_and_renewed_when_they_change(project: Path) -> None:
    runs = project / "runs"
    one, other = (judged.a_run(runs, "net", seed, root=project) for seed in (1, 2))
    failed = judged.a_run(runs, "wild", root=project, state="diverged")
    killed = samples.run_of(runs, "killed")
    killed.result.unlink()
    history(one, 0.75, 0.5)

    done = inv(project, "export-runs", "--to", "mlflow", "--json")
    said = json.loads(done.stdout)
    assert sorted(said["pushed"]) == sorted([one.id, other.id, failed.id])
    assert killed.id in done.stderr
    store = client(runs)
    found = {run.data.tags["ctexp.run"]: run for run in runs_of(store)}
    assert found.keys() == {one.id, other.id, failed.id}
    assert {found[run.id].info.status for run in (one, other)} == {"FINISHED"}
    assert found[failed.id].info.status == "FAILED"
    mine = found[one.id]
    assert (mine.data.params["seed"], mine.data.params["model.name"]) == ("1", "tiny_cnn")
    steps = store.get_metric_history(mine.info.run_id, "val/loss")
    assert [(point.step, point.value) for point in steps] == [(1, 0.75), (2, 0.5)]
    accuracy = json.loads(one.metrics.read_text())["splits"]["val"]["metrics"]["val/accuracy"]["value"]
    assert mine.data.metrics["final/val/accuracy"] == accuracy
    kept = set(artifacts(store, mine))
    assert {"config.yaml", "metrics.json", "predictions_val.parquet", "summary.txt"} <= kept
    assert {"figures/curves.png", "figures/confusion_val.png"} <= kept
    copy = store.download_artifacts(mine.info.run_id, "predictions_val.parquet", str(project))
    assert files.sha256_file(Path(copy)) == files.sha256_file(one.predictions("val"))

    again = json.loads(inv(project, "export-runs", "--to", "mlflow", "--json").stdout)
    assert (again["pushed"], len(again["unchanged"])) == ([], 3)
    history(one, 0.75, 0.5, 0.25)
    renewed = json.loads(inv(project, "export-runs", "--to", "mlflow", "--runs", "net", "--json").stdout)
    assert (renewed["pushed"], renewed["unchanged"]) == ([one.id], [other.id])
    found = {run.data.tags["ctexp.run"]: run for run in runs_of(store)}
    assert len(runs_of(store)) == 3
    assert found[one.id].info.run_id != mine.info.run_id
    assert len(store.get_metric_history(found[one.id].info.run_id, "val/loss")) == 3

    inv(project, "export-runs", "--to", "mlflow", "--runs", one.id, "--checkpoints")
    (mine,) = (run for run in runs_of(store) if run.data.tags["ctexp.run"] == one.id)
    assert "checkpoints/best.ckpt" in set(artifacts(store, mine))


def test_the_record_replaces_what_was_tracked_while_it_trained(project: Path) -> None:
    run = judged.a_run(project / "runs", root=project)
    for attempt in (1, 2):
        (tracker,) = make_trackers(logger("mlflow"), pytest.fail)
        tracker.start(tracked(run.path, name=run.id, tracker_id=f"{run.id}-{attempt}", runs=project / "runs"))
    store = client(project / "runs")
    assert len(runs_of(store)) == 2
    inv(project, "export-runs", "--to", "mlflow")
    (left,) = runs_of(store)
    assert left.data.tags["ctexp.attempt"] == f"{run.id}-record"


def test_what_cannot_be_pushed(project: Path) -> None:
    run = judged.a_run(project / "runs", root=project)
    files.write_text(run.metrics, "{")
    done = inv(project, "export-runs", "--to", "mlflow", code=4)
    assert f"{run.id}: " in done.stderr
    assert "0 pushed, 0 unchanged, 1 failed" in done.stdout
    words = ("export-runs", "--to", "mlflow", "--url", "http://127.0.0.1:9")
    done = inv(project, *words, code=4)
    assert done.stderr.startswith("PreflightError: MLflow at http://127.0.0.1:9: ")
    done = inv(project, "export-runs", "--to", "mlflaw", code=2)
    assert done.stderr.endswith("did you mean 'mlflow'?\n")
    done = inv(project, "export-runs", code=2)
    assert done.stderr.endswith("where to? -> --to mlflow|tensorboard|wandb|comet\n")
    done = inv(project, "export-runs", "--to", "comet", "--url", "x", code=2)
    assert "--url: comet has none" in done.stderr
