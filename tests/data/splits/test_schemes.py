from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import DataError, UsageError
from ctexp.data.catalog import ImageRow
from ctexp.data.splits.schemes import LEFT_OUT, SCHEMES, check_scheme, make
from tests.data.splits.sets import any_set, catalog_of, full, image


def with_dates(rows: list[ImageRow]) -> list[ImageRow]:
    return [replace(row, meta={"acquired": f"2024-01-{n % 28 + 1:02d}"}) for n, row in enumerate(rows)]


def test_official_is_the_catalogs_own_column_without_excluded_rows() -> None:
    rows = full(2)
    rows[0] = replace(rows[0], excluded=True)

    chosen = make(catalog_of(*rows), "official").for_training(catalog_of(*rows), None)

    assert list(chosen) == ["train", "val", "test"]
    assert {split: len(its) for split, its in chosen.items()} == {"train": 7, "val": 8, "test": 8}
    assert all(row.split == split and not row.excluded for split, its in chosen.items() for row in its)


def test_clean_leaves_out_exactly_what_touches_training() -> None:
    rows = [
        *full(),
        image("train/leak.png", "in train", "normal"),
        image("test/leak 1.png", "in train", "normal", "test"),
        image("test/leak 2.png", "in train", "adenocarcinoma", "test"),
        image("val/leak.png", "in train", "normal", "val"),
        image("val/both.png", "val and test", "normal", "val"),
        image("test/both.png", "val and test", "normal", "test"),
    ]
    excluded = replace(image("train/no.png", "excluded", "normal"), excluded=True)
    catalog = catalog_of(*rows, excluded, image("test/no.png", "excluded", "normal", "test"))

    made = make(catalog, "clean")

    left_out = {image_id for image_id, part in made.part_of.items() if part == LEFT_OUT}
    assert left_out == {"test/leak 1.png", "test/leak 2.png", "val/leak.png"}
    assert all(made.part_of[row.image_id] == row.split for row in rows if row.image_id not in left_out)
    assert len(made.rows(catalog)["train"]) == 4 * 12 + 1


@settings(max_examples=60, deadline=None)
@given(any_set(), st.sampled_from(SCHEMES), st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_every_image_is_in_one_part_and_no_group_straddles(
    rows: list[ImageRow], scheme: str, seed: int, folds: int
) -> None:
    catalog = catalog_of(*with_dates(rows))

    made = make(catalog, scheme, seed=seed, folds=folds)

    assert made.part_of.keys() == {row.image_id for row in rows}
    sides: dict[str, set[str]] = {row.group: set() for row in rows}
    for row in rows:
        sides[row.group].add(made.part_of[row.image_id])
    if scheme == "clean":
        assert all(parts <= {"train", LEFT_OUT} for parts in sides.values() if "train" in parts)
    elif scheme != "official":
        assert all(len(parts) == 1 for parts in sides.values())
    assert set(made.part_of.values()) <= {*made.parts, *([LEFT_OUT] if scheme == "clean" else [])}


def test_the_folds_cover_every_image_once_as_validation() -> None:
    catalog = catalog_of(*full(), replace(full()[0], image_id="excluded.png", excluded=True))
    made = make(catalog, "kfold", folds=5, seed=1)

    seen = Counter[str]()
    for fold in range(5):
        rows = made.for_training(catalog, fold)
        seen.update(row.image_id for row in rows["val"])
        assert rows["test"] == ()
        together = [*rows["train"], *rows["val"]]
        assert sorted(row.image_id for row in together) == [
            row.image_id for row in catalog.rows if not row.excluded
        ]
        assert list(rows["train"]) == [row for row in catalog.rows if row in rows["train"]]

    assert seen == {row.image_id: 1 for row in catalog.rows if not row.excluded}


def test_a_fresh_split_has_the_ratios_in_every_class_and_follows_the_seed() -> None:
    catalog = catalog_of(*full(20))

    made = make(catalog, "grouped", ratios={"train": 60, "val": 20, "test": 20}, seed=3)

    counts = Counter((part, row.class_name) for part, its in made.rows(catalog).items() for row in its)
    assert counts == {(split, name): 36 if split == "train" else 12 for split in SPLITS for name in CLASSES}
    assert made.made_with == {"seed": "3", "ratios": "60/20/20"}
    assert make(catalog, "grouped", seed=4).part_of != make(catalog, "grouped", seed=3).part_of


def test_every_class_that_is_gone_is_told_but_test_may_lack_any() -> None:
    rows = [
        replace(row, excluded=True) if row.split == "train" and row.class_name == "normal" else row
        for row in full(2)
        if (row.split, row.class_name) not in {("val", "adenocarcinoma"), ("test", "normal")}
    ]
    catalog = catalog_of(*rows)

    with pytest.raises(DataError) as failure:
        make(catalog, "official").for_training(catalog, None)

    assert failure.value.problems == (
        "data set 'few', official split: no image of normal in train",
        "data set 'few', official split: no image of adenocarcinoma in val",
    )


def test_more_folds_than_images_are_refused_before_they_cost_anything() -> None:
    with pytest.raises(DataError, match="100,000,000 folds of 24 images"):
        make(catalog_of(*full(2)), "kfold", folds=100_000_000)


def test_an_unknown_scheme_is_a_usage_error_that_names_the_nearest() -> None:
    with pytest.raises(UsageError) as failure:
        check_scheme("kfodl")
    assert failure.value.lines() == ["UsageError: there is no split scheme 'kfodl' -> did you mean 'kfold'?"]
    with pytest.raises(UsageError, match="there is no split scheme 'random'"):
        make(catalog_of(*full()), "random")


def test_what_nobody_says_otherwise_is_as_documented() -> None:
    catalog = catalog_of(*full(5))
    folds, grouped = make(catalog, "kfold"), make(catalog, "grouped")
    assert set(Counter(folds.part_of.values()).values()) == {len(catalog.rows) // 5}
    assert (folds.folds, folds.made_with) == (5, {"seed": "42"})
    assert folds.part_of == make(catalog, "kfold", folds=5, seed=42).part_of
    assert grouped.made_with == {"seed": "42", "ratios": "70/15/15"}
