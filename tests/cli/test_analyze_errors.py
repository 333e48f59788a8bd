"""`inv analyze-errors` through its verb: tables, pictures, the sealed test, and what can be missing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core.paths import ledger_file
from ctexp.data import catalog
from ctexp.evaluation.answers import read
from ctexp.evaluation.mistakes import cases
from ctexp.evaluation.mistakes.document import Mistakes
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.temperature import calibrated
from ctexp.record.calibration import Calibration
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.find import run_paths
from ctexp.record.ledger import Ledger
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import subject
from tests.leaky import add_leaky_set
from tests.project import TINY, add_tiny_set, make_project

pytestmark = pytest.mark.usefixtures("blank_pictures")

WORDS = (*TINY[:2], "data.image_size=32", *TINY[3:5], "trainer.max_epochs=1", TINY[-1], "run.name=seeds")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two seeds of one experiment, trained for an epoch, and metadata of its images."""
    folder = make_project(tmp_path_factory.mktemp("errors") / "project")
    add_tiny_set(folder, train=22, val=40)
    data = catalog.load(folder / "data", "tiny")
    people = [
        replace(row, meta={"sex": "FM"[place % 2], "age": str(40 + place % 40)})
        for place, row in enumerate(data.rows)
    ]
    catalog.write(folder / "data", "tiny", people)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("CTEXP_ROOT", raising=False)
        for seed in (42, 43):
            flags = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
            perform("train:train", flags | {"override": [*WORDS, f"seed={seed}"]}, debug=True)
    return folder


@pytest.fixture
def project(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, to be changed."""
    copy = tmp_path / "project"
    shutil.copytree(trained, copy)
    monkeypatch.chdir(copy)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return copy


def analyze(**flags: Any) -> None:
    words = {"run": "seeds", "split": "val", "final": False, "explain": 3, "json": False}
    perform("analyze_errors:analyze_errors", words | flags, debug=True)


def document(capsys: pytest.CaptureFixture[str], **flags: Any) -> dict[str, Any]:
    capsys.readouterr()
    analyze(json=True, **flags)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], code: int, **flags: Any) -> str:
    capsys.readouterr()
    words = {"run": "seeds", "split": "val", "final": False, "explain": 3, "json": False}
    with pytest.raises(Exit) as caught:
        perform("analyze_errors:analyze_errors", words | flags, debug=False)
    assert caught.value.code == code
    return capsys.readouterr().err


def runs_of(project: Path) -> list[RunDir]:
    return [RunDir(path) for path in run_paths(project / "runs")]


def judge(run: RunDir, split: str, *, right: bool) -> Predictions:
    """Give a run predictions of a split, all right or all wrong, of the catalog's images."""
    data = catalog.load(run.path.parent.parent / "data", "tiny")
    rows = [row for row in data.rows if row.split == split]
    label = np.array([row.label for row in rows])
    table = Predictions(
        tuple(row.image_id for row in rows),
        tuple(row.sha256 for row in rows),
        tuple(row.group for row in rows),
        label,
        5 * np.eye(4, dtype=np.float32)[label if right else (label + 1) % 4],
    )
    table.write(run.predictions(split))
    return table


def test_all_seeds_of_a_name_are_analysed_and_explained(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = document(capsys)

    place = Path(told["folder"])
    assert place == project / "runs/errors/seeds_val"
    assert Mistakes.read(place / "errors.json").document() | {"folder": str(place)} == told
    joint = read(subject(project / "runs", "seeds"), "val").joint
    assert told["errors"] == (joint.logits.argmax(axis=1) != joint.label).sum() > 3
    assert told["seeds"] == [42, 43]
    assert len(told["stability"]["right"]) == told["images"] == 40
    assert {one["attribute"] for one in told["slices"]} >= {"class", "age", "sex"}
    assert {one["column"] for one in told["fairness"]["columns"]} == {"age", "sex"}

    assert [one["judged"] for one in told["gallery"]] == told["confident"][:3]
    assert told["explanation"]["images"] == 3
    assert set(told["explanation"]["layers"].values()) == {"model.features, 2 x 2"}
    for one in told["gallery"]:
        assert (place / one["picture"]).read_bytes().startswith(b"\xff\xd8")
        assert one["run"] in told["runs"]
    page = (place / "errors.html").read_text()
    assert page.count("data:image/jpeg;base64,") == sum(1 + bool(one["overlay"]) for one in told["gallery"])


def test_probabilities_are_calibrated_by_the_weights_own_temperature(project: Path) -> None:
    (first, _) = runs_of(project)
    answers = read(subject(project / "runs", first.id), "val")
    kept = Calibration.read(first.calibration)

    found = cases.of(answers)

    assert found.temperature == pytest.approx(kept.temperature)
    np.testing.assert_allclose(found.probabilities, calibrated(answers.joint.logits, kept.temperature))
    kept.model_copy(update={"checkpoint_sha256": "0" * 64}).write(first.calibration)
    assert cases.of(answers).temperature is None
    assert cases.of(read(subject(project / "runs", "seeds"), "val")).temperature is None


def test_the_tables_are_printed_with_where_the_page_is(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    analyze(explain=0)

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("seeds  val  40 images: ")
    assert lines[1].split()[:3] == ["truth", "called", "images"]
    assert "written to runs/errors/seeds_val/errors.html" in lines
    assert any(line.startswith("2 seeds: always right ") for line in lines)
    assert "the best epoch was chosen on these images" in said.err
    place = project / "runs/errors/seeds_val"
    assert {path.name for path in place.iterdir()} == {"errors.json", "errors.html"}


def test_again_it_replaces_what_it_wrote(project: Path) -> None:
    analyze(explain=3)
    analyze(explain=1)

    names = {path.name for path in (project / "runs/errors/seeds_val").iterdir()}
    assert names <= {"errors.json", "errors.html", "001.jpg", "001_map.jpg"}
    assert "001.jpg" in names


def test_where_everything_is_right_it_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, _) = runs_of(project)
    judge(first, "val", right=True)
    capsys.readouterr()
    analyze(run=first.id)

    said = capsys.readouterr()
    assert said.out.splitlines()[0].startswith(f"{first.id}  val  40 images: 0 called wrong, 100 %")
    assert "no image is called wrong: there are no mistakes to look at" in said.err


def test_a_single_image_is_enough(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, _) = runs_of(project)
    judge(first, "val", right=False).at(np.array([0])).write(first.predictions("val"))

    told = document(capsys, run=first.id)

    assert (told["images"], told["errors"]) == (1, 1)
    assert len(told["gallery"]) == 1
    assert told["accuracy"]["high"] > 0


def test_without_the_data_set_the_tables_are_there_all_the_same(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "data/raw/tiny")
    images_gone = document(capsys)
    assert any(note.startswith("no pictures: ") for note in images_gone["notes"])
    assert images_gone["gallery"] == []
    assert {"age", "sex"} <= {one["attribute"] for one in images_gone["slices"]}

    (project / "data/raw/tiny.parquet").unlink()
    all_gone = document(capsys)
    assert any(note.startswith("nothing is known of the images: ") for note in all_gone["notes"])
    assert {one["attribute"] for one in all_gone["slices"]} <= {"class", "confidence"}
    assert all_gone["confusions"] == images_gone["confusions"]


def test_without_its_weights_a_run_has_no_pictures(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run in runs_of(project):
        (run.checkpoints / "best.ckpt").unlink()
    told = document(capsys)

    assert told["explanation"] is None
    assert any("best.ckpt" in note for note in told["notes"])


def test_a_picture_that_was_changed_is_not_explained(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (project / "data/raw/tiny").rglob("*.png"):
        file.write_bytes(b"not a picture")
    told = document(capsys)

    assert any("its content differs from what was imported" in note for note in told["notes"])


def test_a_cross_validation_is_analysed_out_of_fold(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = runs_of(project)
    place = CrossValidationDir.create(project / "runs", "cv")
    record = CrossValidation(
        id=place.id,
        name="cv",
        created="2026-01-01T00:00:00.000Z",
        command="inv cross-validate",
        overrides=(),
        config_sha256="0" * 64,
        dataset="tiny",
        catalog_sha256="0" * 64,
        split_sha256="0" * 64,
        folds=2,
        seeds=(42, 43),
        members=tuple(
            Fold(fold=fold, seed=42 + fold, run_id=run.id, state="finished")
            for fold, run in enumerate((first, second))
        ),
    )
    record.write(place.record)
    told = document(capsys, run=place.id)

    assert (told["split"], told["kind"]) == ("oof", "cross-validation")
    assert Path(told["folder"]).name == f"{place.id}_oof"
    assert not told["mislabelled"]["withheld"]
    assert told["gallery"]
    assert "judges its images out of fold" in refused(capsys, 2, run=place.id, split="test", final=True)


def test_training_images_have_no_labels_to_doubt(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run in runs_of(project):
        judge(run, "train", right=False)
    told = document(capsys, split="train", explain=0)

    assert "have learned from these images" in told["mislabelled"]["withheld"]


def test_the_test_split_is_opened_by_final_alone_and_counted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def looks() -> int:
        return len(Ledger(ledger_file(project)).looks("tiny"))

    assert "is sealed" in refused(capsys, 2, split="test")
    missing = refused(capsys, 3, split="test", final=True)
    first, second = runs_of(project)
    assert f"{first.id}: no predictions of test" in missing
    assert f"{second.id}: no predictions of test" in missing
    assert f"scripts/inv evaluate --run {first.id} --split test --final" in missing
    assert looks() == 0

    for run in (first, second):
        judge(run, "test", right=False)
    assert "is sealed" in refused(capsys, 2, split="test")
    assert looks() == 0
    told = document(capsys, split="test", final=True)
    assert told["split"] == "test"
    document(capsys, split="test", final=True)
    assert looks() == 2
    assert {one.kind for one in Ledger(ledger_file(project)).looks("tiny")} == {"errors"}


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        ({"run": "sedes"}, 3, "no run 'sedes'"),
        ({"split": "vall"}, 2, "did you mean 'val'?"),
        ({"explain": -1}, 2, "--explain: -1 is not between 0 and 500"),
        ({"final": True}, 2, "--final: only the test split is sealed"),
        ({"split": "train"}, 3, "scripts/inv evaluate --run seeds_"),
        ({"run": "baseline"}, 3, "no baseline is set yet"),
    ],
)
def test_what_cannot_be_analysed_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], flags: dict[str, Any], code: int, says: str
) -> None:
    assert says in refused(capsys, code, **flags)
    assert not (project / "runs/errors").exists()


def test_damaged_predictions_are_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, _) = runs_of(project)
    first.predictions("val").write_bytes(b"PAR1 and no more")

    assert f"{first.predictions('val')}: cannot be read as parquet" in refused(capsys, 3)


@pytest.mark.slow
def test_a_network_that_takes_features_is_asked_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "project")
    add_leaky_set(project)
    monkeypatch.chdir(project)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    perform("features:extract", {"dataset": "leaky", "split": "auto", "json": False}, debug=True)
    words = ("data.name=leaky", *WORDS[1:-1], "model.fusion=concat", "features=all_features", "run.name=dual")
    flags = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}
    perform("train:train", flags | {"override": list(words)}, debug=True)
    told = document(capsys, run="dual")
    assert set(told["explanation"]["layers"].values()) == {"model.backbone.features, 2 x 2"}

    (project / "data/features/leaky.parquet").unlink()
    without = document(capsys, run="dual")
    assert without["confusions"] == told["confusions"]
    assert any("has no table of features" in note for note in without["notes"])
