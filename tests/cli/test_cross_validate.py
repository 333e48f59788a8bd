"""A cross-validation whose folds are real trainings in processes of their own, and what is made of them.

The verb itself runs in this process, where torch is loaded already, and the processes of its folds are those
of a warm trainer; `test_cross_validate_faults` starts all of them as people do.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core.errors import DataError
from ctexp.core.paths import ledger_file
from ctexp.data.unlabelled import Image, Reader
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import Calibration
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, EnsembleList
from ctexp.record.find import run_paths
from ctexp.record.ledger import Ledger
from ctexp.record.manifest import Estimate, Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.schemas import DOCUMENTS, schema
from ctexp.training.judging.ensemble import Ensemble
from ctexp.warm.parent import Parent
from ctexp.warm.request import WARM
from tests.project import TINY, add_tiny_set, inv, make_project
from tests.training.tiny import Pictures

INV = str(Path(sys.executable).with_name("inv"))
WORDS = (*TINY[:-2], "trainer.max_epochs=1", "scheduler.warmup_epochs=0", "optimizer.lr=0.01", "logger=none")


def start(project: Path, *words: str, stderr: Any = subprocess.PIPE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [INV, "cross-validate", *words],
        cwd=project,
        env={key: value for key, value in os.environ.items() if not key.startswith(("CTEXP_", "WANDB_"))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def cross_validate(project: Path, *words: str, code: int = 0) -> tuple[str, str]:
    """Run the verb to its end; what it printed on both streams."""
    with start(project, *words) as process:
        out, err = process.communicate(timeout=560)
    assert process.returncode == code, out + err
    return out, err


def here(project: Path, *overrides: str, code: int = 0, **flags: Any) -> tuple[str, str]:
    """Run the verb in this process; what it printed on both streams."""
    given = {"override": list(overrides), "seeds": 1, "resume": None, "yes": False, "json": False} | flags
    out, err, ended = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.chdir(project)
        patch.delenv("CTEXP_ROOT", raising=False)
        try:
            perform("cross_validate:cross_validate", given, debug=False)
        except Exit as end:
            ended = end.code
    assert ended == code, out.getvalue() + err.getvalue()
    return out.getvalue(), err.getvalue()


def project_of(folder: Path, folds: int) -> Path:
    project = make_project(folder / "project")
    add_tiny_set(project)
    inv(project, "data-split", "--dataset", "tiny", "--scheme", "kfold", "--folds", str(folds))
    return project


def newest(project: Path) -> CrossValidationDir:
    return CrossValidationDir.find(project / "runs", "latest")


def essence(place: CrossValidationDir) -> tuple[Any, ...]:
    """All that must not depend on where it was interrupted; the look at test images names the time."""
    metrics = json.loads(place.metrics.read_text())
    metrics["splits"]["oof"].pop("look")
    table = Predictions.read(place.predictions)
    return metrics, table.image_id, table.logits.tobytes(), Calibration.read(place.calibration)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folds, and one seed that is trained once."""
    return project_of(tmp_path_factory.mktemp("folds"), folds=2)


@pytest.fixture(scope="module")
def said(project: Path) -> tuple[str, str]:
    with Parent(project) as warm, pytest.MonkeyPatch.context() as patch:
        patch.setenv(WARM, str(warm.socket))
        return here(project, *WORDS, "inference=tta", "seed=7", "run.name=cv")


@pytest.fixture
def place(project: Path, said: tuple[str, str]) -> CrossValidationDir:
    assert said
    return newest(project)


def test_every_fold_is_an_ordinary_run_with_one_parent(place: CrossValidationDir) -> None:
    record = CrossValidation.read(place.record)
    runs = run_paths(place.path.parent.parent)
    assert [member.run_id for member in record.members] == [path.name for path in runs]
    assert [member.state for member in record.members] == ["finished", "finished"]
    manifests = [Manifest.read(RunDir(path).manifest) for path in runs]
    assert {(m.name, m.origin.parent, m.seed) for m in manifests} == {("cv", place.id, 7)}
    assert [m.dataset.fold for m in manifests] == [0, 1]
    assert record.ended is not None


def test_the_table_and_the_summary_are_the_same(place: CrossValidationDir, said: tuple[str, str]) -> None:
    assert place.summary.read_text() == said[0]
    heading, first, second, *_ = said[0].splitlines()
    assert heading.split() == ["fold", "seed", "run", "state", "val/macro_f1", "val/accuracy", "minutes"]
    for number, line in enumerate((first, second)):
        member = CrossValidation.read(place.record).members[number]
        assert line.split()[:4] == [str(number), "7", member.run_id, "finished"]
        assert line.split()[4] == f"{member.metrics['val/macro_f1'].value:.3f}"
    assert "42 of 42 images judged out of fold: 8 officially test, 22 officially train" in said[0]


def test_every_image_is_judged_once_by_the_run_that_did_not_see_it(
    place: CrossValidationDir, project: Path
) -> None:
    whole = Predictions.read(place.predictions)
    rows = dict(zip(whole.image_id, whole.probabilities, strict=True))
    for member in CrossValidation.read(place.record).members:
        own = Predictions.read(RunDir(project / "runs" / str(member.run_id)).predictions("val"))
        for image_id, probabilities in zip(own.image_id, own.probabilities, strict=True):
            assert rows.pop(image_id) == pytest.approx(probabilities, abs=1e-6)
    assert not rows
    metrics = json.loads(place.metrics.read_text())
    assert metrics["coverage"]["missing"] == []
    right = (whole.logits.argmax(axis=1) == whole.label).mean()
    assert metrics["splits"]["oof"]["metrics"]["oof/accuracy"]["value"] == pytest.approx(right)
    assert metrics["splits"]["oof"]["tta"] == "flip"


def test_each_document_follows_its_published_schema(place: CrossValidationDir) -> None:
    for name, path in (
        ("cross_validation", place.record),
        ("ensemble", place.ensemble),
        ("calibration", place.calibration),
    ):
        jsonschema.Draft202012Validator(schema(DOCUMENTS[name])).validate(json.loads(path.read_text()))
    for picture in ("confusion_oof.png", "reliability_oof.png"):
        assert (place.figures / picture).stat().st_size > 10_000


def test_runs_are_calibrated_and_say_how_images_were_looked_at(
    place: CrossValidationDir, project: Path
) -> None:
    for member in CrossValidation.read(place.record).members:
        run = RunDir(project / "runs" / str(member.run_id))
        summary = json.loads(run.metrics.read_text())["splits"]["val"]
        kept = Calibration.read(run.calibration)
        assert summary["tta"] == "flip"
        assert any("2 views" in note for note in summary["notes"])
        assert summary["calibrated"]["temperature"] == kept.temperature
        assert kept.nll.after <= kept.nll.before


def test_the_train_split_is_calibrated_by_what_was_kept_and_foreign_weights_by_nothing(
    place: CrossValidationDir,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunDir(project / "runs" / str(CrossValidation.read(place.record).members[0].run_id))
    kept = Calibration.read(run.calibration)
    monkeypatch.chdir(project)

    def calibrated() -> Any:
        flags = {"run": run.id, "split": "train", "final": False, "prevalence": None, "json": True}
        perform("evaluate:evaluate", flags, debug=False)
        return json.loads(capsys.readouterr().out)["calibrated"]

    assert calibrated()["temperature"] == kept.temperature
    assert Calibration.read(run.calibration) == kept
    kept.model_copy(update={"checkpoint_sha256": "0" * 64}).write(run.calibration)
    try:
        assert calibrated() is None
    finally:
        kept.write(run.calibration)


def test_nothing_is_trained_twice(place: CrossValidationDir, project: Path) -> None:
    before, runs = essence(place), run_paths(project / "runs")
    out, err = here(project, resume="latest", json=True)
    document = json.loads(out)
    assert "nothing to train" in err
    assert f"scripts/inv show {place.id}\n" in err
    assert err.endswith(f"scripts/inv analyze-errors --run {place.id}\n")
    assert document["id"] == place.id
    document["metrics"]["splits"]["oof"].pop("look")
    assert document["metrics"] == before[0]
    assert essence(place) == before
    assert run_paths(project / "runs") == runs
    assert all(RunDir(path).attempt_numbers() == [1] for path in runs)


def test_official_test_images_among_the_folds_are_one_look_however_often_it_is_gone_on_with(
    place: CrossValidationDir, project: Path, said: tuple[str, str]
) -> None:
    assert "1 cross-validation has judged images of it out of fold" in said[1]
    (look,) = Ledger(ledger_file(project)).looks("tiny")
    assert (look.kind, look.images, look.subjects) == ("cross-validation", 8, (place.id,))
    assert json.loads(place.metrics.read_text())["splits"]["oof"]["look"] == look.named


def test_the_ensemble_is_the_mean_of_its_members_calibrated_probabilities(
    place: CrossValidationDir, project: Path
) -> None:
    device, runs = torch.device("cpu"), project / "runs"
    images = torch.from_numpy(Pictures(9, seed=9).take(np.arange(9))[:, None])
    (project / "data").rename(project / "elsewhere")
    try:  # it needs no data set
        ensemble = Ensemble.load(EnsembleList.read(place.ensemble), runs, device)
    finally:
        (project / "elsewhere").rename(project / "data")

    found = ensemble.probabilities(images)

    temperature = Calibration.read(place.calibration).temperature
    with torch.no_grad():
        networks = [member.trained.network for member in ensemble.members]
        its = [(network(images) + network(images.flip(-1))).numpy() / 2 for network in networks]
    assert not np.allclose(its[0], its[1])
    exponentials = [np.exp(logits.astype(np.float64) / temperature) for logits in its]
    expected = np.mean([e / e.sum(axis=1, keepdims=True) for e in exponentials], axis=0)
    assert ensemble.calibrated
    assert found == pytest.approx(expected, abs=1e-6)


def test_predict_asks_the_ensemble(
    place: CrossValidationDir,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    capsys.readouterr()
    flags = {"output": None, "abstain_below": 0.0, "window": None, "batch_size": 5, "skip_unreadable": False}
    perform(
        "predict:predict", flags | {"path": "data/raw/tiny/val", "run": place.id, "json": True}, debug=False
    )
    document = json.loads(capsys.readouterr().out)
    members = EnsembleList.read(place.ensemble).members
    assert [one["checkpoint_sha256"] for one in document["networks"]] == [one.sha256 for one in members]
    ensemble = Ensemble.load(EnsembleList.read(place.ensemble), project / "runs", torch.device("cpu"))
    rows = document["predictions"]
    reader = Reader(project / "data/raw/tiny/val", 16, "pad")
    images = [reader(row["path"]) for row in rows]
    squares = np.stack([image.square for image in images if isinstance(image, Image)])[:, None]
    expected = ensemble.probabilities(torch.from_numpy(squares))
    assert [list(row["probabilities"].values()) for row in rows] == pytest.approx(expected, abs=1e-6)


def test_an_ensemble_of_other_weights_is_refused(place: CrossValidationDir, project: Path) -> None:
    listed = EnsembleList.read(place.ensemble)
    foreign = tuple(m.model_copy(update={"sha256": "0" * 64}) for m in listed.members)
    with pytest.raises(DataError, match="not the checkpoint that the ensemble lists") as caught:
        Ensemble.load(listed.model_copy(update={"members": foreign}), project / "runs", torch.device("cpu"))
    assert len(caught.value.problems) == 2


def test_what_every_fold_would_refuse_is_refused_once(place: CrossValidationDir, project: Path) -> None:
    before = sorted((project / "runs").rglob("*.json"))
    words = (*WORDS, "model.fusion=concat", "features=all_features")
    _, err = here(project, *words, code=3)
    assert err.count("DataError") == 1
    assert "extract-features" in err
    assert sorted((project / "runs").rglob("*.json")) == before
    assert newest(project).id == place.id


def test_another_configuration_or_split_is_not_gone_on_with(place: CrossValidationDir, project: Path) -> None:
    loss, split = project / "conf/loss/cross_entropy.yaml", project / "research/splits/tiny/kfold.txt"
    texts = loss.read_text(), split.read_text()
    try:
        loss.write_text(texts[0].replace("label_smoothing: 0.1", "label_smoothing: 0.2"))
        split.write_text(texts[1] + "# changed: yes\n")
        _, err = here(project, resume=place.id, code=3)
    finally:
        loss.write_text(texts[0])
        split.write_text(texts[1])
    assert "the configuration is not the one it began with" in err
    assert "the kfold split of tiny is not the one it began with" in err


def test_a_dry_run_says_what_it_would_cost_and_makes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(project.glob("runs/*"))
    monkeypatch.setattr("ctexp.planning.estimates.from_history", lambda *_: None)
    out, _ = here(project, *WORDS, seeds=3, dry_run=True)
    first, second = out.splitlines()
    assert first == "tiny_cnn on tiny: 2 folds, 3 seeds (not made: --dry-run)"
    assert second.startswith("6 trainings; what each takes is not known: scripts/inv estimate data.name=tiny")
    known = Estimate(seconds=60.0, basis="5 like runs", disk_bytes=1_000_000)
    monkeypatch.setattr("ctexp.planning.estimates.from_history", lambda *_: known)
    out, _ = here(project, *WORDS, seeds=3, dry_run=True)
    assert out.splitlines()[1].startswith("6 trainings, each ")
    assert "6 min 00 s, 6.0 MB in all (5 like runs)" in out
    told = json.loads(here(project, *WORDS, seeds=3, dry_run=True, json=True)[0])
    assert (told["trainings"], told["seconds"], told["disk_bytes"]) == (6, 360.0, 6_000_000)
    assert sorted(project.glob("runs/*")) == before


def test_what_makes_no_sense_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    _, err = here(project, *WORDS, "data.fold=1", "data.split=clean", seeds=0, code=2)
    assert "data.fold=1: every fold is trained" in err
    assert "data.split=clean: a cross-validation uses data.split=kfold" in err
    assert "--seeds: 0 is not between 1 and 1000" in err
    out, _ = here(project, *WORDS, json=True, code=3)
    assert "inv data-split --dataset tiny --scheme kfold" in json.loads(out)["error"]["hint"]
    assert not (project / "runs").exists()
