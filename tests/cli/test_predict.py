"""`inv predict`: new images in, what a network says of each out, nothing left to be guessed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invoke.exceptions import Exit
from PIL import Image

from ctexp.cli.verb import perform
from ctexp.core.classes import CLASSES
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.temperature import calibrated
from ctexp.record.calibration import Calibration
from ctexp.record.run_dir import RunDir
from ctexp.training.answering import answer
from tests.data.dicoms import encoded, slice_
from tests.trained import extract_features, project_with_images, train

pytestmark = pytest.mark.usefixtures("blank_pictures")

DEFAULTS: dict[str, Any] = {
    "run": "latest",
    "output": None,
    "abstain_below": 0.0,
    "window": None,
    "batch_size": 64,
    "skip_unreadable": False,
    "json": False,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    project = project_with_images(tmp_path_factory.mktemp("predict"))
    return train(project, "inference.tta=flip")


@pytest.fixture
def project(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = run.path.parent.parent
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with folders, formats and things that are no images."""
    folder = tmp_path / "scans"
    rng = np.random.default_rng(3)
    for name in ("b.png", "a/2.jpg", "a/10.png", "=cmd|'x'!A1.png", "z.tif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (30, 21), np.uint8)).save(folder / name)
    (folder / "a" / "notes.txt").write_text("seen on Monday")
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def predict(path: Path | str, **flags: Any) -> None:
    perform("predict:predict", DEFAULTS | {"path": str(path)} | flags, debug=False)


def refused(code: int, path: Path | str, capsys: pytest.CaptureFixture[str], **flags: Any) -> str:
    capsys.readouterr()
    with pytest.raises(Exit) as caught:
        predict(path, **flags)
    said = capsys.readouterr()
    assert caught.value.code == code, said.err
    return said.err


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_runs_own_images_get_the_probabilities_that_it_recorded(
    project: Path, run: RunDir, tmp_path: Path
) -> None:
    output = tmp_path / "said.csv"
    predict(project / "data/raw/tiny/val", output=str(output), batch_size=5)
    rows = rows_of(output)
    recorded = Predictions.read(run.predictions("val"))
    expected = calibrated(recorded.logits, Calibration.read(run.calibration).temperature)
    of = dict(zip(recorded.sha256, expected, strict=True))
    assert list(rows[0]) == [
        *("path", "called", "confidence"),
        *(f"prob_{name}" for name in CLASSES),
        *("sha256", "calibrated", "error"),
    ]
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    assert len(rows) == len(recorded.image_id)
    for row in rows:
        said = [float(row[f"prob_{name}"]) for name in CLASSES]
        assert said == pytest.approx(of[row["sha256"]], abs=2e-6)
        assert row["called"] == CLASSES[int(np.argmax(of[row["sha256"]]))]
        assert float(row["confidence"]) == max(said)
        assert (row["calibrated"], row["error"]) == ("yes", "")


@pytest.mark.usefixtures("project")
def test_the_document_says_who_answered_and_abstains_where_it_is_asked_to(
    run: RunDir, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(scans, json=True)
    plain = json.loads(capsys.readouterr().out)
    between = float(np.median([row["confidence"] for row in plain["predictions"]]))
    predict(scans, json=True, abstain_below=between, batch_size=2)
    said = capsys.readouterr()
    document = json.loads(said.out)
    rows = document["predictions"]
    assert [row["path"] for row in rows] == ["=cmd|'x'!A1.png", "a/10.png", "a/2.jpg", "b.png", "z.tif"]
    (network,) = document["networks"]
    assert network["run_id"] == run.id
    assert network["checkpoint_sha256"] == Calibration.read(run.calibration).checkpoint_sha256
    assert network["temperature"] == Calibration.read(run.calibration).temperature
    assert document["tta"] == "flip"
    assert "no medical device" in document["statement"]
    assert document["images"] == 5 == document["abstained"] + sum(document["called"].values())
    assert document["abstained"] == 2
    for row, before in zip(rows, plain["predictions"], strict=True):
        assert (row["called"] == "abstained") == (row["confidence"] < between)
        assert row["probabilities"] == pytest.approx(before["probabilities"], abs=1e-6)
    assert document["passed_over"] == ["a/notes.txt"]
    assert "passed over, no images: a/notes.txt" in said.err
    assert f"2 abstained (below {between:g})" in said.err


@pytest.mark.usefixtures("project")
def test_on_the_screen_an_image_is_a_line(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict(scans / "b.png")
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["path", "called", "confidence"]
    assert line.split()[0] == "b.png"
    assert line.split()[1] in CLASSES


@pytest.mark.usefixtures("project")
def test_no_cell_is_a_formula(scans: Path, tmp_path: Path) -> None:
    output = tmp_path / "said.csv"
    predict(scans, output=str(output))
    assert rows_of(output)[0]["path"] == "'=cmd|'x'!A1.png"


@pytest.mark.usefixtures("project")
def test_without_a_temperature_every_row_says_so(
    run: RunDir, scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Calibration.read(run.calibration)
    kept.model_copy(update={"checkpoint_sha256": "0" * 64}).write(run.calibration)
    try:
        predict(scans, output=str(tmp_path / "said.csv"))
        predict(scans, json=True)
    finally:
        kept.write(run.calibration)
    said = capsys.readouterr()
    assert {row["calibrated"] for row in rows_of(tmp_path / "said.csv")} == {"no"}
    document = json.loads(said.out)
    assert document["calibrated"] is False
    assert not any(row["calibrated"] for row in document["predictions"])
    assert f"not calibrated: no temperature belongs to the weights of {run.id}" in said.err


@pytest.mark.usefixtures("project")
def test_all_unreadable_images_are_named_and_nothing_is_written(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scans / "a" / "2.jpg").write_bytes((scans / "a" / "2.jpg").read_bytes()[:200])
    (scans / "c.png").write_bytes(b"")
    output = tmp_path / "said.csv"
    err = refused(3, scans, capsys, output=str(output))
    assert "a/2.jpg" in err
    assert "c.png: empty file" in err
    assert "--skip-unreadable" in err
    assert not output.exists()

    predict(scans, output=str(output), skip_unreadable=True, batch_size=2)
    rows = {row["path"]: row for row in rows_of(output)}
    assert len(rows) == 6
    assert rows["c.png"]["error"] == "c.png: empty file"
    assert {column for column, value in rows["c.png"].items() if value} == {"path", "error"}
    assert rows["z.tif"]["called"] in CLASSES
    assert "2 unreadable" in capsys.readouterr().err

    predict(scans, skip_unreadable=True)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["path", "called", "confidence", "error"]
    (unread,) = [line for line in lines if line.startswith("c.png")]
    assert unread.split(maxsplit=1) == ["c.png", "empty file"]
    assert unread.index("empty") == head.index("error")
    predict(scans, skip_unreadable=True, json=True)
    document = json.loads(capsys.readouterr().out)
    assert {row["calibrated"] for row in document["predictions"]} == {True, None}


@pytest.mark.usefixtures("project")
def test_where_nothing_can_be_read_there_is_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "c.png").write_bytes(b"")
    output = tmp_path / "said.csv"
    err = refused(3, broken, capsys, output=str(output), skip_unreadable=True)
    assert "not one of its images can be read" in err
    assert not output.exists()


@pytest.mark.usefixtures("project")
def test_dicom_needs_a_window_and_is_read_as_a_data_set_is(
    scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = np.random.default_rng(1).integers(0, 2000, (20, 20)).astype(np.int16)
    (scans / "series").mkdir()
    (scans / "series" / "IM0001").write_bytes(encoded(slice_(stored)))
    err = refused(3, scans, capsys)
    assert "series/IM0001: holds Hounsfield units, and no window is given" in err
    assert "--window lung" in err

    low = np.rint(np.clip((stored - 1024.0 + 1350) * 255 / 1500, 0, 255)).astype(np.uint8)
    Image.fromarray(low).save(scans / "series" / "same.png")
    predict(scans, window="lung", json=True)
    rows = {row["path"]: row for row in json.loads(capsys.readouterr().out)["predictions"]}
    assert rows["series/IM0001"]["probabilities"] == rows["series/same.png"]["probabilities"]


@pytest.mark.usefixtures("project")
def test_every_wrong_flag_is_told_at_once(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.csv"
    there.write_text("mine")
    err = refused(
        2,
        scans,
        capsys,
        abstain_below=1.5,
        batch_size=0,
        window="lungs",
        output=str(tmp_path / "no" / "x.txt"),
    )
    assert err.count("UsageError") == 5
    assert "did you mean 'lung'?" in err
    told = refused(2, scans, capsys, output=str(there))
    assert "is there already, and is not written over -> move it away, or name another" in told
    assert there.read_text() == "mine"
    assert "is no probability" in refused(2, scans, capsys, abstain_below=float("nan"))


@pytest.mark.usefixtures("project")
def test_what_holds_no_image_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file or folder -> name an image" in refused(3, tmp_path / "nowhere", capsys)
    assert "DICOM image -> name the folder" in refused(3, tmp_path, capsys)
    (tmp_path / "list.txt").write_text("a")
    assert "holds no PNG, JPEG, TIFF or DICOM image" in refused(3, tmp_path, capsys)
    assert "not a PNG, JPEG, TIFF or DICOM image" in refused(3, tmp_path / "list.txt", capsys)
    assert "no baseline is set yet" in refused(3, tmp_path, capsys, run="baseline")


def test_a_refusal_answers_before_torch_is_loaded(project: Path, tmp_path: Path) -> None:
    flags = DEFAULTS | {"path": str(tmp_path)}
    code = (
        "import sys; from invoke.exceptions import Exit; from ctexp.cli.verb import perform\n"
        f"try: perform('predict:predict', {flags!r}, debug=False)\n"
        "except Exit as end: print(end.code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "False"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_no_part_of_a_file(
    signum: int,
    code: int,
    scans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = answer._look

    def look(*arguments: Any) -> Any:
        os.kill(os.getpid(), signum)
        return before(*arguments)

    monkeypatch.setattr(answer, "_look", look)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
    output = tmp_path / "out" / "said.csv"
    output.parent.mkdir()
    refused(code, scans, capsys, output=str(output), batch_size=1)
    assert list(output.parent.iterdir()) == []


@pytest.mark.slow
def test_a_network_with_features_measures_them_from_the_image_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project_with_images(tmp_path)
    extract_features(folder)
    run = train(folder, "model.fusion=concat", "features=all_features")
    shutil.rmtree(folder / "data" / "features")
    monkeypatch.chdir(folder)
    capsys.readouterr()
    predict("data/raw/tiny/val", json=True)
    document = json.loads(capsys.readouterr().out)
    recorded = Predictions.read(run.predictions("val"))
    expected = calibrated(recorded.logits, Calibration.read(run.calibration).temperature)
    of = dict(zip(recorded.sha256, expected, strict=True))
    assert len(document["predictions"]) == len(of)
    for row in document["predictions"]:
        assert list(row["probabilities"].values()) == pytest.approx(of[row["sha256"]], abs=1e-6)
