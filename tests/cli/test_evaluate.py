"""`evaluate` on a real run: all splits, the sealed test split, what is damaged, and what is printed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from ctexp.cli.evaluate import evaluate
from ctexp.cli.train import train
from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import ledger_file
from ctexp.evaluation.operating import threshold_at
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.scores import NAMES
from ctexp.record.calibration import Calibration
from ctexp.record.ledger import Ledger
from ctexp.record.run_dir import RunDir
from tests.project import TINY, add_tiny_set, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")

SECONDS = {"images_per_second", "latency_ms", "latency_answers"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run."""
    project = make_project(tmp_path_factory.mktemp("evaluate") / "project")
    add_tiny_set(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTEXP_ROOT", str(project))
        assert train(TINY, cfg=False, dry_run=False, resume=None, yes=True, json=False) == 0
    return project


@pytest.fixture
def project(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to damage."""
    project = tmp_path / "project"
    shutil.copytree(trained, project, symlinks=True)
    monkeypatch.setenv("CTEXP_ROOT", str(project))
    return project


def run(project: Path) -> RunDir:
    return RunDir(next((project / "runs").glob("tiny_cnn_*")))


def said(
    capsys: pytest.CaptureFixture[str], split: str, *, final: bool = False, prevalence: str | None = None
) -> dict[str, Any]:
    """The one document on stdout."""
    capsys.readouterr()
    evaluate("latest", split, final=final, prevalence=prevalence, json=True)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def looks(project: Path) -> int:
    return len(Ledger(ledger_file(project)).looks("tiny"))


def recorded(project: Path) -> dict[str, Any]:
    splits: dict[str, Any] = json.loads(run(project).metrics.read_text())["splits"]
    return splits


def test_all_splits_at_once_and_the_test_only_when_it_is_final(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = said(capsys, "all")
    assert list(document["splits"]) == ["train", "val"]
    assert not run(project).predictions("test").exists()
    assert not ledger_file(project).exists()

    document = said(capsys, "all", final=True)
    assert list(document["splits"]) == ["train", "val", "test"]
    assert document["splits"] == recorded(project)
    assert looks(project) == 1
    validation = Predictions.read(run(project).predictions("val"))
    scale = Calibration.read(run(project).calibration).temperature
    calibrated = replace(validation, logits=(validation.logits / scale).astype(np.float32))
    for split, summary in document["splits"].items():
        assert set(summary["metrics"]) == {f"{split}/{name}" for name in NAMES}
        assert summary["n"] == len(Predictions.read(run(project).predictions(split)).label)
        assert summary["cancer"]["operating"]["threshold"] == threshold_at(calibrated, 0.9)
        assert summary["speed"]["images_per_second"] > 0
        assert summary["speed"]["latency_ms"] > 0
        assert summary["speed"]["latency_answers"] >= 5
        assert summary["speed"]["batch_size"] <= summary["n"]
        assert summary["size"]["parameters"] == run(project).read().manifest.model.parameters  # type: ignore[union-attr]
        assert summary["size"]["checkpoint_bytes"] == (run(project).checkpoints / "best.ckpt").stat().st_size
        assert any("optimistic" in note for note in summary["cancer"]["notes"]) == (split == "val")
    assert document["splits"]["test"]["look"]["seq"] == 1
    assert "look" not in document["splits"]["val"]


def test_a_split_predicted_twice_gives_the_same_numbers_and_counts_twice(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (said(capsys, "test", final=True) for _ in range(2))
    assert (first.pop("look")["seq"], second.pop("look")["seq"]) == (1, 2)
    for document in (first, second):
        document["speed"] = {name: value for name, value in document["speed"].items() if name not in SECONDS}
    assert first == second
    assert looks(project) == 2


def test_the_sealed_test_split_is_not_predicted_without_final(project: Path) -> None:
    with pytest.raises(UsageError, match=r"sealed.*never looked at so far"):
        evaluate("latest", "test", final=False, prevalence=None, json=False)
    assert not run(project).predictions("test").exists()
    with pytest.raises(UsageError, match="--final opens the test split, not val"):
        evaluate("latest", "val", final=True, prevalence=None, json=False)


def test_all_seeds_of_a_name_are_one_look(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train((*TINY, "seed=43"), cfg=False, dry_run=False, resume=None, yes=True, json=False) == 0
    capsys.readouterr()
    evaluate("tiny_cnn", "test", final=True, json=True)
    document = json.loads(capsys.readouterr().out)
    assert len({its["run_id"] for its in document["runs"]}) == 2
    assert [its["look"]["seq"] for its in document["runs"]] == [1, 1]
    (look,) = Ledger(ledger_file(project)).looks("tiny")
    assert set(look.subjects) == {its["run_id"] for its in document["runs"]}


def test_nobody_opens_the_test_split_by_chance(project: Path) -> None:
    with pytest.raises(UsageError, match="which run is to open the test split"):
        evaluate("", "test", final=True, json=False)
    run(project).result.unlink()  # as a kill leaves it
    with pytest.raises(DataError, match="interrupted, not finished") as refused:
        evaluate("latest", "test", final=True, json=False)
    assert "--resume" in refused.value.hint
    assert not ledger_file(project).exists()


def test_a_deleted_ledger_line_is_noticed_and_nothing_is_predicted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "test", final=True)
    ledger_file(project).unlink()
    before = recorded(project)
    for split in ("test", "all"):
        with pytest.raises(DataError, match=r"its figures come from look 1, which .* lacks") as caught:
            evaluate("latest", split, final=True, prevalence=None, json=False)
        assert "put the lines back" in caught.value.hint
    assert recorded(project) == before
    assert not ledger_file(project).exists()


def test_no_look_is_counted_where_the_network_cannot_be_loaded(project: Path) -> None:
    (run(project).checkpoints / "best.ckpt").write_bytes(b"")
    with pytest.raises(DataError):
        evaluate("latest", "test", final=True, prevalence=None, json=False)
    assert not ledger_file(project).exists()


@pytest.mark.parametrize("damage", ["torn", "nan", "foreign"])
def test_no_look_is_counted_where_the_validation_predictions_are_damaged(project: Path, damage: str) -> None:
    path = run(project).predictions("val")
    table = Predictions.read(path)
    match damage:
        case "torn":
            path.write_bytes(path.read_bytes()[:-50])
            what = "cannot be read as parquet"
        case "nan":
            with parquet.ParquetFile(path) as file:
                columns = file.read().to_pydict()
            columns["logit_normal"][2] = columns["prob_normal"][2] = float("nan")
            schema = parquet.read_schema(path)
            parquet.write_table(pa.table(columns, schema=schema), path)
            what = r"column logit_normal, row 2: nan is not finite"
        case _:
            other = tuple("f" * 64 for _ in table.sha256)
            Predictions(table.image_id, other, table.group, table.label, table.logits).write(path)
            what = "not of the val images of tiny"
    with pytest.raises(DataError, match=what) as caught:
        evaluate("latest", "test", final=True, prevalence=None, json=False)
    assert "--split val" in caught.value.hint
    assert not ledger_file(project).exists()
    evaluate("latest", "val", final=False, prevalence=None, json=False)
    evaluate("latest", "test", final=True, prevalence=None, json=False)
    assert looks(project) == 1


def test_a_stated_prevalence_changes_what_an_answer_is_worth(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = said(capsys, "val")["cancer"]
    stated = said(capsys, "val", prevalence="0.05")["cancer"]
    assert own["prevalence"] is None
    assert stated["prevalence"] == 0.05
    assert stated["answered"]["sensitivity"] == own["answered"]["sensitivity"]
    if own["answered"]["ppv"]["value"] not in {None, 1.0}:
        assert stated["answered"]["ppv"]["value"] < own["answered"]["ppv"]["value"]
    (project / "conf" / "verdict.yaml").write_text(
        (project / "conf" / "verdict.yaml").read_text().replace("prevalence: null", "prevalence: 0.05")
    )
    assert said(capsys, "val")["cancer"] == stated
    for wrong in ("0", "1", "2", "-0.1", "nan", "many"):
        with pytest.raises(UsageError, match=f"--prevalence: {wrong} is no share between 0 and 1"):
            evaluate("latest", "val", final=False, prevalence=wrong, json=False)


def test_the_tables_show_what_the_record_holds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    evaluate("latest", "val", final=False, prevalence=None, json=False)
    out, err = capsys.readouterr()
    summary = recorded(project)["val"]
    assert out.splitlines()[0] == f"{run(project).id}  val  12 images; values with 95 % intervals"
    lines = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    for name in CLASSES:
        entries, line = summary["per_class"][name], lines[name.replace("_", " ")]
        cells = line[len(name) :].split()
        values = [entries[metric]["value"] for metric in ("recall", "specificity", "precision", "npv")]
        assert cells[0] == str(summary["support"][name])
        shown = [cell for cell in cells[1:] if "-" not in cell or cell == "-"]
        assert shown[:4] == ["-" if value is None else f"{value:.3f}" for value in values]
    accuracy = summary["metrics"]["val/accuracy"]
    assert lines["val/accuracy"].split() == [
        "val/accuracy",
        f"{accuracy['value']:.3f}",
        f"{accuracy['low']:.3f}-{accuracy['high']:.3f}",
    ]
    assert f"{summary['size']['parameters']:,} parameters" in out
    assert "by which it is judged here" in err


def test_a_split_that_does_not_exist_is_refused_with_the_nearest(project: Path) -> None:
    assert project
    with pytest.raises(UsageError, match="'tset' is no split") as caught:
        evaluate("latest", "tset", final=False, prevalence=None, json=False)
    assert "test" in caught.value.hint


def test_a_run_recorded_before_any_of_this_can_still_be_read(project: Path) -> None:
    """What training itself writes has no look, no threshold, no speed: it reads as it did."""
    summary = recorded(project)["val"]
    assert not {"cancer", "speed", "size", "look"} & set(summary)
    assert set(summary["per_class"]["normal"]) >= {"precision", "recall", "specificity", "f1"}


@pytest.mark.slow
def test_what_earlier_weights_said_of_other_splits_is_removed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "all", final=True)
    said(capsys, "val")
    assert set(recorded(project)) == {"train", "val", "test"}

    found = run(project)  # as where a run that had ended by its time limit went on to better weights
    document = json.loads(found.metrics.read_text())
    for its in document["splits"].values():
        its["checkpoint_sha256"] = "0" * 64
    found.metrics.write_text(json.dumps(document))
    evaluate("latest", "val", final=False, prevalence=None, json=False)

    assert set(recorded(project)) == {"val"}
    assert not found.predictions("test").exists()
    assert not (found.figures / "confusion_test.png").exists()
    assert "is removed" in capsys.readouterr().err
    assert found.predictions("val").exists()
    assert looks(project) == 1
