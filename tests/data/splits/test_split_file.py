"""The same bytes for the same split, and nothing is read that does not divide these very images."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_bytes
from ctexp.data.catalog import Catalog
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import make
from tests.data.splits.sets import catalog_of, full, image

CATALOG = catalog_of(
    *full(3),
    image("train/same 1.png", "same", "normal"),
    image("train/same 2.png", "same", "normal"),
    image("test/same (3).png", "same", "normal", "test"),
    replace(image("train/no.png", "no", "normal"), excluded=True),
)


def written(folder: Path, scheme: str, catalog: Catalog = CATALOG) -> Path:
    file = split_file.split_file(folder, catalog.name, scheme)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(split_file.as_text(catalog, make(catalog, scheme, folds=3, seed=7)))
    return file


def test_the_text_of_a_small_split_is_frozen() -> None:
    catalog = catalog_of(
        image("train/a (1).png", "same", "normal"),
        image("test/ä.png", "same", "normal", "test"),
        image("val/b.png", "b", "adenocarcinoma", "val"),
    )

    assert split_file.as_text(catalog, make(catalog, "clean")) == (
        "# ctexp split: 1\n"
        "# dataset: few\n"
        f"# fingerprint: {catalog.fingerprint}\n"
        "# scheme: clean\n"
        "# images in train: adenocarcinoma 0, large_cell_carcinoma 0, squamous_cell_carcinoma 0, normal 1; "
        "1 in all\n"
        "# images in val: adenocarcinoma 1, large_cell_carcinoma 0, squamous_cell_carcinoma 0, normal 0; "
        "1 in all\n"
        "# images in test: adenocarcinoma 0, large_cell_carcinoma 0, squamous_cell_carcinoma 0, normal 0; "
        "0 in all\n"
        "# images in left_out: adenocarcinoma 0, large_cell_carcinoma 0, squamous_cell_carcinoma 0, "
        "normal 1; 1 in all\n"
        "left_out\ttest/ä.png\n"
        "train\ttrain/a (1).png\n"
        "val\tval/b.png\n"
    )


@pytest.mark.parametrize("scheme", ["official", "clean", "grouped", "kfold"])
def test_line_ends_and_a_byte_order_mark_are_no_part_of_a_split(tmp_path: Path, scheme: str) -> None:
    file = written(tmp_path, scheme)
    plain = split_file.find(tmp_path, CATALOG, scheme)

    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))

    assert split_file.find(tmp_path, CATALOG, scheme) == plain


@pytest.mark.parametrize("scheme", ["official", "clean"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("left_out\ttest/same", "test\ttest/same"),
        lambda text: text.replace("val\tval/normal/00", "left_out\tval/normal/00"),
        lambda text: text.replace("# images in val", "# pictures in val"),
        lambda text: text[:-1],
        lambda _: "",
    ],
)
def test_what_follows_from_the_catalog_is_not_changed_by_hand(
    tmp_path: Path, scheme: str, edit: Callable[[str], str]
) -> None:
    file = written(tmp_path, scheme)
    before = file.read_text()
    file.write_text(edit(before))
    if file.read_text() == before:
        assert scheme == "official"
        return

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, scheme)

    assert failure.value.problems == (f"{file}: differs from what the catalog says",)
    assert failure.value.hint == f"make it anew: scripts/inv data-split --dataset few --scheme {scheme}"


def test_a_file_by_an_older_catalog_does_not_leak(tmp_path: Path) -> None:
    """The same images, but now somebody knows whose they are: the file was made without."""
    for scheme in ("official", "clean"):
        written(tmp_path, scheme)
    rows = [
        replace(row, group="one patient", split="train") if "normal/0" in row.image_id else row
        for row in CATALOG.rows
    ]
    now = catalog_of(*rows)
    assert now.fingerprint == CATALOG.fingerprint

    for scheme in ("official", "clean"):
        with pytest.raises(DataError, match="differs from what the catalog says"):
            split_file.find(tmp_path, now, scheme)


def dated(shift: int = 0) -> Catalog:
    """`CATALOG` with a day for every image, the normals' moved by some."""
    return catalog_of(
        *(
            replace(
                row,
                meta={
                    "acquired": f"2024-01-{10 + n % 12 + (shift if row.class_name == 'normal' else 0):02d}"
                },
            )
            for n, row in enumerate(CATALOG.rows)
        )
    )


def test_a_split_by_time_keeps_to_the_dates_of_today(tmp_path: Path) -> None:
    file = written(tmp_path, "time", dated())
    assert split_file.find(tmp_path, dated(), "time")[0].part_of == make(dated(), "time").part_of

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, dated(9), "time")
    assert all(problem.startswith(f"{file}: ") for problem in failure.value.problems)
    assert ") in train is later than " in failure.value.problems[0]
    assert failure.value.hint.endswith("inv data-split --dataset few --scheme time")

    with pytest.raises(DataError, match="39 of 39 images have no date of acquisition"):
        split_file.find(tmp_path, CATALOG, "time")


def test_a_folder_in_the_place_of_a_file_is_one_line(tmp_path: Path) -> None:
    file = split_file.split_file(tmp_path, "few", "clean")
    file.mkdir(parents=True)

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, "clean")

    assert failure.value.problems == (f"{file}: cannot be read (Is a directory)",)


@pytest.mark.parametrize("scheme", ["official", "clean", "grouped", "kfold"])
def test_what_is_written_is_read_back_and_hashed(tmp_path: Path, scheme: str) -> None:
    file = written(tmp_path, scheme)

    split, sha256 = split_file.find(tmp_path, CATALOG, scheme)

    made = make(CATALOG, scheme, folds=3, seed=7)
    assert (split.part_of, split.folds) == (dict(sorted(made.part_of.items())), made.folds)
    assert sha256 == sha256_bytes(file.read_bytes())


@pytest.mark.parametrize("scheme", ["official", "clean"])
def test_what_follows_from_the_catalog_needs_no_file_and_has_the_hash_it_would_have(
    tmp_path: Path, scheme: str
) -> None:
    split, sha256 = split_file.find(tmp_path, CATALOG, scheme)

    assert split.part_of == make(CATALOG, scheme).part_of
    assert sha256 == sha256_bytes(written(tmp_path, scheme).read_bytes())


@pytest.mark.parametrize("scheme", ["grouped", "kfold", "time"])
def test_what_has_a_seed_or_ratios_is_refused_without_its_file(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, scheme)
    assert failure.value.hint == f"make it: scripts/inv data-split --dataset few --scheme {scheme}"


def test_a_sound_change_by_hand_is_a_split_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, "grouped")
    before = split_file.find(tmp_path, CATALOG, "grouped")[1]
    image_id = "test/normal/00.png"
    part = make(CATALOG, "grouped", seed=7).part_of[image_id]
    file.write_text(file.read_text().replace(f"{part}\t{image_id}", f"left_out\t{image_id}"))

    split, sha256 = split_file.find(tmp_path, CATALOG, "grouped")

    assert split.part_of[image_id] == "left_out"
    assert sha256 != before


def other_images(text: str) -> str:
    return text.replace(CATALOG.fingerprint, "f" * 64)


EDITS: dict[str, tuple[str, Callable[[str], str], str]] = {
    "another version": (
        "grouped",
        lambda t: t.replace("split: 1", "split: 2"),
        "format that this version does not",
    ),
    "another data set": ("grouped", lambda t: t.replace(": few", ": many"), "split of another data set"),
    "other images": ("grouped", other_images, "made of other images"),
    "another scheme": ("grouped", lambda t: t.replace(": grouped", ": kfold"), "by another scheme"),
    "no head": ("grouped", lambda t: re.sub("(?m)^#.*\n", "", t), "no line '# fingerprint: …'"),
    "no folds": ("kfold", lambda t: t.replace("# folds: 3\n", ""), "no line '# folds: …'"),
    "folds without number": ("kfold", lambda t: t.replace("folds: 3", f"folds: {'9' * 5_000}"), "can be"),
    "an empty fold": ("kfold", lambda t: t.replace("folds: 3", "folds: 4"), "fold 3 has no image"),
    "an unknown image": ("grouped", lambda t: t + "train\tnew.png\n", "new.png: not in the data set"),
    "a lost image": (
        "grouped",
        lambda t: re.sub("(?m)^.*val/normal/00.png\n", "", t),
        "val/normal/00.png: in no part",
    ),
    "an image twice": (
        "grouped",
        lambda t: t + "val\tval/normal/00.png\n",
        "val/normal/00.png a second time",
    ),
    "an excluded image": ("grouped", lambda t: t + "train\ttrain/no.png\n", "train/no.png: excluded"),
    "an unknown part": ("grouped", lambda t: t.replace("val\t", "valid\t"), "there is no part 'valid'"),
    "a fold too many": ("kfold", lambda t: t.replace("\n2\t", "\n3\t"), "there is no part '3'"),
    "an image in no fold": ("kfold", lambda t: t.replace("\n2\t", "\nleft_out\t"), "no part 'left_out'"),
    "a broken line": ("grouped", lambda t: t.replace("train\t", "train "), "not a part and an image id"),
    "a group on two sides": (
        "grouped",
        lambda t: re.sub(
            "(?m)^.*\t(test/same.*|train/same 1.*)$", lambda m: f"{m[1][:5].strip('/')}\t{m[1]}", t
        ),
        "more than one side: test/same (3).png in test, train/same 1.png in train",
    ),
    "a group in two folds": (
        "kfold",
        lambda t: "".join(
            line if "same 1" not in line else f"{(int(line[0]) + 1) % 3}{line[1:]}"
            for line in t.splitlines(keepends=True)
        ),
        "more than one side",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_does_not_divide_these_images_is_refused(tmp_path: Path, name: str) -> None:
    scheme, edit, says = EDITS[name]
    file = written(tmp_path, scheme)
    changed = edit(file.read_text())
    assert changed != file.read_text()
    file.write_text(changed)

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, scheme)

    assert any(says in problem for problem in failure.value.problems), failure.value.problems
    assert all(problem.startswith(f"{file}: ") for problem in failure.value.problems)
    assert f"inv data-split --dataset few --scheme {scheme}" in failure.value.hint


def test_of_many_problems_the_first_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    file = written(tmp_path, "grouped")
    file.write_text("")

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, "grouped")

    assert len(failure.value.problems) == 11
    assert failure.value.problems[-1] == f"{file}: and {4 + 39 - 10} more problems"


def test_what_is_no_text_is_one_line(tmp_path: Path) -> None:
    file = written(tmp_path, "grouped")
    file.write_bytes(b"\xff\x00")

    with pytest.raises(DataError) as failure:
        split_file.find(tmp_path, CATALOG, "grouped")

    assert failure.value.problems == (f"{file}: not UTF-8 text",)


def test_official_and_clean_allow_what_they_promise_nothing_about(tmp_path: Path) -> None:
    catalog = catalog_of(
        *full(2), image("val/x.png", "x", "normal", "val"), image("test/x.png", "x", "normal", "test")
    )
    for scheme in ("official", "clean"):
        written(tmp_path, scheme, catalog)
        assert split_file.find(tmp_path, catalog, scheme)[0].part_of["test/x.png"] == "test"


def test_a_group_that_was_joined_after_the_split_was_made_is_noticed(tmp_path: Path) -> None:
    written(tmp_path, "grouped")
    rows = [replace(row, group="one patient") if "normal/0" in row.image_id else row for row in CATALOG.rows]

    with pytest.raises(DataError, match="group one patient is on more than one side"):
        split_file.find(tmp_path, catalog_of(*rows), "grouped")
