"""The table of features: same bytes for the same images, and refused when it is not what it should be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ctexp.core.errors import DataError
from ctexp.data.radiomics import table
from ctexp.data.radiomics.columns import COLUMNS
from tests.data.rows import row

ROWS = [row(f"{number}.png", bytes([number])) for number in range(6)]
VALUES = np.random.default_rng(1).normal(size=(6, 50))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return table.write(table.table_file(tmp_path, "small"), ROWS, VALUES).file


def test_what_is_written_is_read_bit_for_bit_in_any_order(file: Path) -> None:
    found = table.load(file)

    np.testing.assert_array_equal(found.values, VALUES)
    np.testing.assert_array_equal(found.of([ROWS[4], ROWS[1]]), VALUES[[4, 1]])
    assert pq.read_table(file).column_names == ["image_id", "sha256", "window", *COLUMNS]


def test_the_same_features_are_the_same_bytes(tmp_path: Path, file: Path) -> None:
    again = table.write(tmp_path / "again.parquet", ROWS, VALUES)

    assert again.file.read_bytes() == file.read_bytes()
    assert again.sha256 == table.load(file).sha256


def test_unknown_images_and_other_contents_are_refused_with_the_command(file: Path) -> None:
    strange = [row("new.png"), replace(ROWS[0], sha256="f" * 64), replace(ROWS[1], window="40,400"), ROWS[2]]

    with pytest.raises(DataError) as caught:
        table.load(file).of(strange)

    assert caught.value.problems == (
        f"{file}: has no features of 1 image, for example new.png",
        f"{file}: has features of other content for 2 images, for example 0.png, 1.png",
    )
    assert caught.value.hint == "compute them: scripts/inv extract-features --dataset small"


def test_a_missing_table_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no table of features") as caught:
        table.load(table.table_file(tmp_path, "small"))

    assert caught.value.hint == "compute it: scripts/inv extract-features --dataset small"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content[: len(content) // 2], "not a parquet file"),
        (lambda content: content.replace(b"glcm_contrast", b"glcm_kontrast"), "not the columns"),
    ],
)
def test_a_table_that_is_not_one_is_refused(file: Path, change: object, says: str) -> None:
    assert callable(change)
    file.write_bytes(change(file.read_bytes()))

    with pytest.raises(DataError, match=says):
        table.load(file)


def test_a_table_of_other_definitions_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "DEFINITIONS", 2)

    with pytest.raises(DataError, match="not made by version 2"):
        table.load(file)


@pytest.mark.parametrize("made_by", [b"[]", b"definitions: 1", b"\xff", b"", b"1"])
def test_a_table_with_anything_as_its_origin_is_refused(file: Path, made_by: bytes) -> None:
    content = pq.read_table(file)
    pq.write_table(content.replace_schema_metadata({b"ctexp.made_by": made_by}), file)

    with pytest.raises(DataError, match="not made by version 1") as caught:
        table.load(file)

    assert caught.value.hint == "compute it: scripts/inv extract-features --dataset small"


def test_missing_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="values are missing"):
        table.write(tmp_path / "nan.parquet", ROWS, np.where(VALUES > 2, np.nan, VALUES))
    with pytest.raises(DataError, match="stand there twice"):
        table.write(tmp_path / "twice.parquet", [*ROWS[:5], ROWS[0]], VALUES)
