from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError, UsageError
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.splits import divide, select
from tests.data.rows import row

ROWS = tuple(
    row(f"{split}/{name}/{n}.png", split=split, class_name=name)
    for split in ("train", "val", "test")
    for name in CLASSES
    for n in range(2)
)


def catalog_of(rows: tuple[ImageRow, ...]) -> Catalog:
    return Catalog("few", Path("few"), Path("few.parquet"), rows, "0" * 64)


def test_official_is_the_catalogs_own_column_without_excluded_rows() -> None:
    excluded = replace(ROWS[0], excluded=True)

    chosen = select(catalog_of((excluded, *ROWS[1:])), "official")

    assert list(chosen) == ["train", "val", "test"]
    assert chosen["train"] == ROWS[1:8]
    assert chosen["val"] == ROWS[8:16]
    assert chosen["test"] == ROWS[16:]


def test_every_class_that_is_gone_is_told_but_test_may_lack_any() -> None:
    rows = tuple(
        replace(row, excluded=True) if row.split == "train" and row.class_name == "normal" else row
        for row in ROWS
        if (row.split, row.class_name) not in {("val", "adenocarcinoma"), ("test", "normal")}
    )

    with pytest.raises(DataError) as failure:
        select(catalog_of(rows), "official")

    assert failure.value.problems == (
        "data set 'few': no image of normal in train",
        "data set 'few': no image of adenocarcinoma in val",
    )
    assert select(catalog_of(ROWS[:16]), "official")["test"] == ()


def test_an_unknown_scheme_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no scheme 'offical'"):
        select(catalog_of(ROWS), "offical")


def singles(count: int) -> list[tuple[str, str, str]]:
    return [(f"{name}/{n}.png", name, f"{name}-{n}") for name in CLASSES for n in range(count)]


def test_single_images_are_divided_70_15_15_in_every_class() -> None:
    images = singles(100)

    made = divide(images, 42)

    counts = Counter((made[image_id], name) for image_id, name, _ in images)
    assert counts == {
        (split, name): count
        for split, count in (("train", 70), ("val", 15), ("test", 15))
        for name in CLASSES
    }


def test_the_seed_decides_and_the_order_does_not() -> None:
    images = singles(40)

    assert divide(images, 1) == divide(images[::-1], 1)
    assert divide(images, 1) != divide(images, 2)


def test_too_few_distinct_images_are_told_of_every_class() -> None:
    images = [*singles(3)[3:], ("a.png", CLASSES[0], "same"), ("b.png", CLASSES[0], "same")]

    with pytest.raises(DataError) as failure:
        divide([image for image in images if image[1] != "normal"], 0)

    assert failure.value.problems == (
        "adenocarcinoma: 1 distinct images; a split needs at least 3",
        "normal: 0 distinct images; a split needs at least 3",
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=25), min_size=4, max_size=4), st.integers(0, 9)
)
def test_groups_stay_whole_and_no_split_lacks_a_class(sizes: list[list[int]], seed: int) -> None:
    images = [
        (f"{name}/{group}-{copy}.png", name, f"{name}-{group}")
        for name, groups in zip(CLASSES, sizes, strict=True)
        for group, size in enumerate(groups)
        for copy in range(size)
    ]

    made = divide(images, seed)

    sides = defaultdict(set)
    for image_id, _, group in images:
        sides[group].add(made[image_id])
    assert all(len(splits) == 1 for splits in sides.values())
    assert len({(made[image_id], name) for image_id, name, _ in images}) == 3 * len(CLASSES)
