"""`inv data-import`: what it refuses, all at once, and what it says of what it takes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from invoke.exceptions import Exit
from PIL import Image

from ctexp.cli.verb import perform
from ctexp.data import catalog
from tests.data.dicoms import encoded, slice_
from tests.data.sets import noise, small_set
from tests.kaggle import build_kaggle_tree
from tests.project import make_project

FLAGS = {"metadata": None, "window": None, "exclude": None, "seed": 42, "json": False}
RNG = np.random.default_rng(9)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("template") / "project")


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shutil.copytree(template, tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return folder


def data_import(source: Path, **flags: object) -> None:
    perform("data:import_", {"path": str(source), "name": "chest", **FLAGS, **flags}, debug=False)


def left_behind(project: Path) -> set[str]:
    return {path.name for path in (project / "data").rglob("*")} - {"raw", ".import.lock"}


def bad_tree(folder: Path, outside: Path) -> dict[str, str]:
    """A tree with one of each fault among good images; what must be named, and by which words."""
    small_set(folder)
    whole = (folder / "train" / "normal" / "0.png").read_bytes()
    good = folder / "train" / "normal"
    (good / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (good / "zero.png").touch()
    Image.new("1", (9747, 9747)).save(good / "huge.png")
    Image.fromarray(RNG.integers(0, 65536, (40, 48), dtype=np.uint16)).save(good / "deep.png")
    frames = [Image.fromarray(noise(RNG)) for _ in range(3)]
    frames[0].save(good / "animated.png", save_all=True, append_images=frames[1:])
    # Odd modes are no fault: they have rules.
    Image.fromarray(noise(RNG)).convert("CMYK").save(good / "cmyk.jpg")
    Image.fromarray(noise(RNG)).quantize(64).save(good / "palette.png")

    shutil.rmtree(folder / "train" / "adenocarcinoma")
    for file in (folder / "train" / "squamous_cell_carcinoma").iterdir():
        file.unlink()
    shutil.copytree(folder / "val" / "normal", folder / "val" / "NORMAL")
    (folder / "test" / "normal").rename(folder / "test" / ".normal")
    shutil.move(folder / "val" / "large_cell_carcinoma", outside)
    (folder / "val" / "large_cell_carcinoma").symlink_to(outside)
    return {
        "train/normal/truncated.png": "damaged PNG",
        "train/normal/zero.png": "empty file",
        "train/normal/huge.png": "9747x9747 is 95 megapixels",
        "train/normal/deep.png": "16 bits a channel",
        "train/normal/animated.png": "an animation of 3 frames",
        "train": "no folder for adenocarcinoma",
        "train/squamous_cell_carcinoma": "holds no image",
        "val/NORMAL, val/normal": "more than one folder for normal",
        "test/.normal": "hidden",
        "test": "no folder for normal",
        "val/large_cell_carcinoma": "a symbolic link",
        "val": "no folder for large_cell_carcinoma",
    }


def test_every_fault_of_a_tree_is_refused_at_once_and_nothing_is_left(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = bad_tree(tmp_path / "set", tmp_path / "outside")

    with pytest.raises(Exit) as caught:
        data_import(tmp_path / "set", json=True)

    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert caught.value.code == error["exit_code"] == 3
    named = {problem.split(": ")[0]: problem for problem in error["problems"]}
    assert named.keys() == faults.keys()
    for where, why in faults.items():
        assert why in named[where]
    assert len([line for line in said.err.splitlines() if line.startswith("DataError: ")]) == len(faults)
    assert "expected <split>/<class>/" in error["hint"]
    assert "--exclude FILE" in error["hint"]
    assert left_behind(project) == set()


def test_damaged_images_that_the_user_excludes_are_imported_as_excluded(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = small_set(tmp_path / "set")
    (source / "train" / "normal" / "zero.png").touch()
    (tmp_path / "skip.txt").write_text("# seen, and accepted\nzero.png\n")

    data_import(source, exclude=str(tmp_path / "skip.txt"))

    said = capsys.readouterr()
    assert "chest: 25 images imported in data/raw/chest" in said.out
    assert "left out of every split: 1 of 25 images; 1 cannot be decoded" in said.err
    rows = catalog.load(project / "data", "chest").rows
    assert [row.image_id for row in rows if row.excluded] == ["train/normal/zero.png"]


def test_an_import_audits_and_leaks_do_not_fail_it(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_kaggle_tree(tmp_path / "set", 0.02, 5)

    data_import(tmp_path / "set", json=True)
    first = json.loads(capsys.readouterr().out)
    data_import(tmp_path / "set")
    said = capsys.readouterr()

    assert first["outcome"] == "imported"
    assert first["audit"]["dataset"] == "chest"
    assert first["audit"]["leaks"]
    assert "are there already, unchanged" in said.out
    assert "audit.html" in said.out
    assert (project / "data" / "audit" / "chest" / "audit.html").is_file()


def test_dicom_series_with_a_window_typed_as_people_type_it(project: Path, tmp_path: Path) -> None:
    source = small_set(tmp_path / "set")
    series = source / "train" / "normal" / "series 1"
    series.mkdir()
    for number in range(2):
        stored = RNG.integers(0, 2048, (40, 48)).astype(np.int16)
        (series / f"IM{number}").write_bytes(encoded(slice_(stored, PatientAge="063Y")))
    (tmp_path / "T.csv").write_text("image;patient\nseries 1/IM0;P9\n")

    inv = str(Path(sys.executable).with_name("inv"))
    words = [str(source), "--window", "-600,1500", "--metadata", str(tmp_path / "T.csv"), "--json"]
    done = subprocess.run(
        [inv, "data-import", *words],
        cwd=project,
        env={key: value for key, value in os.environ.items() if not key.startswith("CTEXP_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["windows"] == ["-600,1500"]
    assert report["known"] == ["age", "patient", "series", "study"]
    assert report["warnings"] == [
        "patient: the table contradicts the DICOM tags, and is believed: 1 of 26 images"
    ]
    rows = {row.image_id: row for row in catalog.load(project / "data", "chest_ct").rows}
    assert rows["train/normal/series 1/IM0"].meta["patient"] == "P9"
    assert rows["train/normal/series 1/IM1"].meta == {
        "patient": "P9",  # one study is of one patient
        "study": "1.2.3",
        "series": "1.2.3.4",
        "age": "63",
    }


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none_is_refused_before_anything(
    project: Path, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        data_import(small_set(tmp_path / "set"), seed=seed)

    assert caught.value.code == 2
    assert f"UsageError: --seed: {seed} is not from 0 to 4294967295" in capsys.readouterr().err
    assert left_behind(project) == set()


@pytest.mark.usefixtures("project")
def test_a_column_taken_for_the_patient_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "T.csv").write_text("image,PatientID,Age\ntrain/normal/0.png,P9,63\n")

    data_import(small_set(tmp_path / "set"), metadata=str(tmp_path / "T.csv"))

    assert "T.csv: patient (from 'PatientID'), age; 23 of 24 images have no line" in capsys.readouterr().err
