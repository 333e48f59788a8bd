from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.errors import DataError
from ctexp.data.intake.gather import Gathered, gather
from ctexp.data.intake.listed import Mention
from ctexp.data.intake.metadata import read
from tests.data.dicoms import encoded, slice_
from tests.data.sets import small_set


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_set(tmp_path / "set")


def deep(file: Path) -> None:
    Image.fromarray(np.random.default_rng(2).integers(0, 4096, (40, 48), dtype=np.uint16)).save(file)


def ct(file: Path, seed: int = 3, **tags: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = np.random.default_rng(seed).integers(0, 2048, (40, 48)).astype(np.int16)
    file.write_bytes(encoded(slice_(stored, **tags)))


def refused(source: Path, window: str = "", *unwanted: str) -> DataError:
    with pytest.raises(DataError) as failure:
        gathered(source, window, *unwanted)
    return failure.value


def gathered(source: Path, window: str = "", *unwanted: str) -> Gathered:
    return gather(source, source, None, [Mention(text, "skip.txt:1") for text in unwanted], window)


def test_problems_of_folders_images_lists_and_tables_are_told_at_once(source: Path, tmp_path: Path) -> None:
    (source / "train" / "benign").mkdir()
    (source / "val" / "normal" / "0.png").write_bytes(b"")
    (tmp_path / "T.csv").write_text("image,age\nnowhere.png,3\n")

    with pytest.raises(DataError) as failure:
        gather(source, source, read(tmp_path / "T.csv"), [Mention("gone.png", "skip.txt:1")], "")

    assert failure.value.problems == (
        "train/benign: not one of the four classes",
        "val/normal/0.png: empty file",
        "skip.txt:1: no image is called 'gone.png'",
        "T.csv:2: no image is called 'nowhere.png'",
    )
    for hint in ("expected <split>/<class>/", "--exclude FILE", "by its id"):
        assert hint in failure.value.hint


def test_a_tree_without_images_is_not_blamed_on_the_list(tmp_path: Path) -> None:
    error = refused(tmp_path, "lung", "a.png")

    assert len(error.problems) == 1
    assert "no split or class folders" in error.problems[0]


def test_a_forgotten_window_is_one_problem_however_many_images_want_it(source: Path) -> None:
    for number in range(5):
        ct(source / "train" / "normal" / f"{number}.dcm", number)
    deep(source / "train" / "normal" / "deep.png")

    error = refused(source)

    assert error.problems == (
        "train/normal/deep.png: 16 bits a channel, of no known unit, and no window is given",
        "train/normal/0.dcm, train/normal/1.dcm, train/normal/2.dcm and 2 more: "
        "holds Hounsfield units, and no window is given",
    )
    assert error.hint.startswith("say which values matter: --window lung")
    assert "--exclude" not in error.hint


def test_a_window_that_changes_nothing_is_refused(source: Path) -> None:
    (problem,) = refused(source, "lung").problems
    assert problem.startswith("--window lung: changes nothing")


def test_one_window_for_two_units_is_refused(source: Path) -> None:
    ct(source / "train" / "normal" / "a.dcm")
    ct(source / "train" / "normal" / "b.dcm", 4, Modality="MR")
    deep(source / "train" / "normal" / "deep.png")

    (problem,) = refused(source, "40,400").problems

    assert "Hounsfield units of 1 images (train/normal/a.dcm)" in problem
    assert "MR values of 1 images (train/normal/b.dcm)" in problem
    assert "stored values of 1 images (train/normal/deep.png)" in problem
    assert (
        len(refused(source, "lung").problems) == 2
    )  # which already says that two of them have no such window


def test_8_bit_images_beside_windowed_ones_are_taken_as_they_are_and_that_is_said(source: Path) -> None:
    ct(source / "train" / "normal" / "a.dcm")
    ct(source / "train" / "normal" / "flat.dcm", PixelData=bytes(40 * 48 * 2))

    found = gathered(source, "lung")

    windows = {one.image.image_id: one.facts.window for one in found.seen}
    assert windows.pop("train/normal/a.dcm") == windows.pop("train/normal/flat.dcm") == "-600,1500"
    assert set(windows.values()) == {""}
    assert found.notes[:2] == [
        "window -600,1500, Hounsfield units: 2 of 26 images",
        "8-bit levels, taken as they are: 24 of 26 images",
    ]
    assert found.warnings == ["1 of 2 images are of one grey level in this window: train/normal/flat.dcm"]


def test_excluded_images_may_be_damaged_and_are_kept(source: Path) -> None:
    (source / "train" / "normal" / "0.png").write_bytes(b"")
    (source / "val" / "normal" / "1.png").write_bytes((source / "val" / "normal" / "1.png").read_bytes()[:99])

    found = gathered(source, "", "train/normal/0.png", "val/normal/1.png", "test/normal/1.png")

    excluded = {one.image.image_id: one for one in found.seen if one.excluded}
    assert len(found.seen) == 24
    assert excluded["train/normal/0.png"].facts.bytes == 0
    assert excluded["val/normal/1.png"].facts.bytes == 99
    assert excluded["val/normal/1.png"].facts.pixels == ""
    assert excluded["test/normal/1.png"].facts.width == 48
    assert found.notes == ["left out of every split: 3 of 24 images; 2 cannot be decoded"]


def test_a_class_of_which_nothing_is_left_is_an_error(source: Path) -> None:
    error = refused(source, "", "val/normal/0.png", "val/normal/1.png", "train/normal/0.png")

    assert error.problems == ("normal in val: every image is excluded",)
    assert error.hint == "exclude fewer images"


def test_images_without_a_line_are_counted(source: Path, tmp_path: Path) -> None:
    (tmp_path / "T.csv").write_text("image,patient,age\ntrain/normal/0.png,P1,63\ntest/normal/0.png,P1,\n")

    found = gather(source, source, read(tmp_path / "T.csv"), None, "")

    assert found.notes == [
        "T.csv: patient, age; 22 of 24 images have no line",
        "patients, kept on one side of a split each: 1, of 2 of 24 images",
    ]
    meta = {one.image.image_id: known for one, known in zip(found.seen, found.meta, strict=True) if known}
    assert meta == {
        "train/normal/0.png": {"patient": "P1", "age": "63"},
        "test/normal/0.png": {"patient": "P1"},
    }
