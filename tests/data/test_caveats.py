from dataclasses import replace

from ctexp.core.classes import CLASSES
from ctexp.data.catalog import ImageRow
from ctexp.data.caveats import caveats, leaking
from ctexp.data.leakage import leaks
from tests.data.splits.sets import full, image


def parts(rows: list[ImageRow]) -> dict[str, list[ImageRow]]:
    return {split: [row for row in rows if row.split == split] for split in ("train", "val", "test")}


def test_a_leak_is_an_image_that_is_used_in_a_group_of_training() -> None:
    rows = [
        *full(10),
        image("train/a.png", "a", "normal"),
        image("val/a.png", "a", "adenocarcinoma", "val"),
        image("test/a.png", "a", "normal", "test"),
        image("val/b.png", "b", "normal", "val"),
        image("test/b.png", "b", "normal", "test"),
    ]

    found = {split: [row.image_id for row in its] for split, its in leaks(rows).items()}

    assert found == {"val": ["val/a.png"], "test": ["test/a.png"]}


def test_what_is_measured_on_copies_flatters() -> None:
    rows = [
        *full(10),
        image("train/a.png", "a", "normal"),
        image("test/a.png", "a", "normal", "test", patient="P7"),
        image("val/b.png", "b", "normal", "val"),
        image("test/b.png", "b", "normal", "test"),
    ]

    assert leaking("official", parts(rows)) == (
        "official split: 1 of 42 test images are copies of training images or show the same patients; "
        "figures on them flatter",
        "official split: 1 of 42 test images are copies of validation images; figures on them flatter",
    )


def test_labels_that_contradict_are_counted_on_every_side() -> None:
    rows = [
        *full(10),
        image("train/a.png", "a", "normal"),
        image("train/b.png", "a", "adenocarcinoma"),
        image("train/c.png", "c", "normal"),
        image("val/c.png", "c", "adenocarcinoma", "val"),
        image("train/d.png", "d", "normal"),
        image("train/e.png", "d", "normal"),
    ]

    says = "copies under several classes, so that labels contradict"
    assert caveats(parts(rows)) == (
        f"train: {says} (images: 3, groups of copies: 2)",
        f"val: {says} (images: 1, groups of copies: 1)",
    )


def test_a_patient_may_have_images_of_several_classes_but_a_picture_may_not() -> None:
    rows = [
        *full(10),
        image("train/a.png", "P7", "normal", patient="P7"),
        image("train/b.png", "P7", "adenocarcinoma", patient="P7"),
    ]
    assert caveats(parts(rows)) == ()

    copy = replace(rows[-1], image_id="train/c.png", class_name="normal")
    (line,) = caveats(parts([*rows, copy]))
    assert line.startswith("train: copies under several classes")
    assert "(images: 2, groups of copies: 1)" in line


def test_a_class_is_too_rare_below_ten_independent_images() -> None:
    rows = parts(full(10))
    rows["test"] = [row for row in rows["test"] if row.image_id != "test/normal/03.png"]
    rows["val"][:2] = [image(f"{n}.png", "same", CLASSES[0], "val") for n in range(2)]

    assert caveats(rows) == (
        "val: few independent images (9 of adenocarcinoma): sensitivity can hardly be measured",
        "test: few independent images (9 of normal): specificity can hardly be measured",
    )
    assert leaking("kfold", rows | {"test": [], "val": rows["train"]}) == (
        "kfold split: 40 of 40 val images are copies of training images; figures on them flatter",
    )
