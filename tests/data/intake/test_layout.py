from pathlib import Path

import pytest

from ctexp.core.classes import CLASSES
from ctexp.data.intake.layout import EXPECTED, class_of, scan, split_of
from tests.data.dicoms import encoded, slice_
from tests.kaggle import LONG_NAMES, SHORT_NAMES


def put(root: Path, *files: str) -> None:
    """Files of no content: the layout is read from names alone."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def put_split(root: Path, *splits: str) -> None:
    put(root, *(f"{split}/{name}/a.png" for split in splits for name in SHORT_NAMES.values()))


@pytest.mark.parametrize(
    ("folder", "class_name"),
    [
        *((name, class_name) for class_name, name in LONG_NAMES.items()),
        *((name, class_name) for class_name, name in SHORT_NAMES.items()),
        *((name, name) for name in CLASSES),
        ("Large Cell-Carcinoma", "large_cell_carcinoma"),
        ("SQUAMOUS_CELL.CARCINOMA left hilum", "squamous_cell_carcinoma"),
        ("Normal", "normal"),
        ("abnormal", None),
        ("normality", None),
        ("large", None),
        ("carcinoma", None),
        ("", None),
    ],
)
def test_a_class_folder_is_known_by_how_it_begins(folder: str, class_name: str | None) -> None:
    assert class_of(folder) == class_name


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train", "train"),
        ("Valid", "val"),
        ("val", "val"),
        ("VALIDATION", "val"),
        ("Test", "test"),
        ("testing", None),
    ],
)
def test_a_split_folder_is_known_by_its_name(folder: str, split: str | None) -> None:
    assert split_of(folder) == split


def test_the_kaggle_layout_is_found_below_wrapping_folders(tmp_path: Path) -> None:
    data = tmp_path / "archive" / "Data"
    for split in ("train", "valid"):
        put(data, *(f"{split}/{name}/000108 (3).png" for name in LONG_NAMES.values()))
    put(data, *(f"test/{name}/10 - Copy (2) - Copy.JPG" for name in SHORT_NAMES.values()))

    images = {image.image_id: image for image in scan(tmp_path).images}

    assert len(images) == 12
    squamous = images["val/squamous.cell.carcinoma_left.hilum_T1_N2_M0_IIIa/000108 (3).png"]
    assert (squamous.split, squamous.class_name) == ("val", "squamous_cell_carcinoma")
    assert squamous.file == data / "valid" / LONG_NAMES["squamous_cell_carcinoma"] / "000108 (3).png"
    assert images["test/large.cell.carcinoma/10 - Copy (2) - Copy.JPG"].split == "test"


def test_class_folders_alone_are_an_unsplit_set(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/l6.jpeg" for name in SHORT_NAMES.values()))

    images = scan(tmp_path).images

    assert [(image.image_id, image.split, image.class_name) for image in images] == [
        ("adenocarcinoma/l6.jpeg", None, "adenocarcinoma"),
        ("large.cell.carcinoma/l6.jpeg", None, "large_cell_carcinoma"),
        ("normal/l6.jpeg", None, "normal"),
        ("squamous.cell.carcinoma/l6.jpeg", None, "squamous_cell_carcinoma"),
    ]


def test_a_test_split_is_not_required_but_train_and_val_are(tmp_path: Path) -> None:
    put_split(tmp_path / "enough", "train", "val")
    put_split(tmp_path / "short", "train", "test")

    assert {image.split for image in scan(tmp_path / "enough").images} == {"train", "val"}
    assert scan(tmp_path / "enough").problems == ()
    assert scan(tmp_path / "short").problems == ("short: no folder for the val split",)


def test_every_problem_of_a_tree_is_told_at_once(tmp_path: Path) -> None:
    put_split(tmp_path, "train", "valid", "VAL", "test")
    put(
        tmp_path,
        "readme.txt",
        "holdout/normal/a.png",
        "train/stray.png",
        "train/benign/a.png",
        "train/normal/notes.csv",
        "train/normal/nested/a.png",
        "train/normal/.a.png.part",
        "train/.normal/a.png",
        "test/Normal_left/a.png",
        "test/normal/bad\nname.png",
    )
    (tmp_path / "train" / "squamous.cell.carcinoma" / "a.png").unlink()
    (tmp_path / "train" / "adenocarcinoma" / "a.png").unlink()
    (tmp_path / "train" / "adenocarcinoma").rmdir()
    (tmp_path / "train" / "normal" / "linked.png").symlink_to("/etc/passwd")
    (tmp_path / "test" / "more").symlink_to(tmp_path / "train")

    layout = scan(tmp_path)

    assert set(layout.problems) == {
        "readme.txt: lies outside the class folders",
        "holdout: not a split folder",
        "VAL, valid: more than one folder for the val split",
        "train/stray.png: lies outside the class folders",
        "train/benign: not one of the four classes",
        "train: no folder for adenocarcinoma",
        "train/squamous.cell.carcinoma: holds no image",
        "train/normal/notes.csv: not a PNG, JPEG, TIFF or DICOM file",
        "train/normal/.a.png.part: hidden; rename or remove it",
        "train/.normal: hidden; rename or remove it",
        "train/normal/nested: a folder inside a class folder, but no DICOM series",
        "train/normal/linked.png: a symbolic link; copy what it points at instead",
        "test/more: a symbolic link; copy what it points at instead",
        "test/Normal_left, test/normal: more than one folder for normal",
        "'test/normal/bad\\nname.png': control or undecodable characters in the name",
    }
    assert layout.hint == EXPECTED
    assert "test/normal/a.png" in {image.image_id for image in layout.images}


def test_where_files_alone_are_strange_the_folders_are_not_explained(tmp_path: Path) -> None:
    put_split(tmp_path, "train", "val")
    put(tmp_path, "readme.txt", "val/normal/notes.csv")

    layout = scan(tmp_path)

    assert len(layout.problems) == 2
    assert layout.hint == "remove the files that are no images from the folder or zip"


def test_a_tree_of_something_else_says_what_was_found(tmp_path: Path) -> None:
    put(tmp_path, "cats/a.png", "dogs/a.png")

    (problem,) = scan(tmp_path).problems

    assert problem.endswith(": no split or class folders (folders found: cats, dogs)")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (problem,) = scan(tmp_path).problems

    assert problem.endswith("(folders found: none)")


def test_droppings_are_passed_over_and_listed(tmp_path: Path) -> None:
    put_split(tmp_path / "Data", "train", "val")
    droppings = (
        ".DS_Store",
        "Data/._train",
        "Data/train/Thumbs.db",
        "Data/train/normal/desktop.ini",
        "Data/val/normal/._a.png",
    )
    put(tmp_path, *droppings, "__MACOSX/Data/train/normal/._a.png")

    layout = scan(tmp_path)

    assert layout.ignored == tuple(sorted([*droppings, "__MACOSX"]))
    assert len(layout.images) == 8


def test_dicom_is_known_by_its_name_or_its_mark_and_may_lie_in_series_folders(tmp_path: Path) -> None:
    put_split(tmp_path, "train", "val")
    put(tmp_path, "train/normal/b.TIFF", "train/normal/c.DCM", "val/normal/series 1/1.dicom")
    content = encoded(slice_())
    for name in ("train/normal/IM0001", "val/normal/series 1/1.2.840", "val/normal/series 2/IM.1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    layout = scan(tmp_path)

    assert layout.problems == ()
    assert [image.image_id for image in layout.images if "/normal/" in image.image_id] == [
        "train/normal/IM0001",
        "train/normal/a.png",
        "train/normal/b.TIFF",
        "train/normal/c.DCM",
        "val/normal/a.png",
        "val/normal/series 1/1.2.840",
        "val/normal/series 1/1.dicom",
        "val/normal/series 2/IM.1",
    ]


def test_a_series_folder_holds_dicom_alone_and_no_folder(tmp_path: Path) -> None:
    put_split(tmp_path, "train", "val")
    put(
        tmp_path,
        "train/normal/series/1.dcm",
        "train/normal/series/view.png",
        "train/normal/series/readme",
        "train/normal/series/more/2.dcm",
        "train/normal/.series/1.dcm",
        "train/normal/series/DIRFILE.txt",
    )

    assert set(scan(tmp_path).problems) == {
        "train/normal/series/view.png: lies in a DICOM series, but is no DICOM",
        "train/normal/series/readme: lies in a DICOM series, but is no DICOM",
        "train/normal/series/DIRFILE.txt: lies in a DICOM series, but is no DICOM",
        "train/normal/series/more: a folder inside a DICOM series",
        "train/normal/.series: hidden; rename or remove it",
    }


def test_a_class_folder_of_series_alone_is_not_empty(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/series/1.dcm" for name in SHORT_NAMES.values()))

    layout = scan(tmp_path)

    assert layout.problems == ()
    assert layout.images[0].image_id == "adenocarcinoma/series/1.dcm"
