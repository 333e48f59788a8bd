import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.special import softmax

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.evaluation.metrics import summarise
from ctexp.evaluation.predictions import COLUMNS, Predictions

Split = Callable[..., Predictions]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "split=val" / "predictions_val.parquet"


def rewrite(path: Path, change: Callable[[dict[str, list[Any]]], None], **types: pa.DataType) -> None:
    """Write the file again with changed columns, of the same types unless others are named."""
    with parquet.ParquetFile(path) as file:
        table = file.read()
    kinds = {field.name: field.type for field in table.schema} | types
    columns = table.to_pydict()
    change(columns)
    arrays = {name: pa.array(values, kinds.get(name)) for name, values in columns.items()}
    parquet.write_table(pa.table(arrays), path)


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        Predictions.read(path)
    assert all(str(path) in problem for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_the_file_is_the_one_that_pyarrow_makes_of_the_values(
    split: Split, path: Path, tmp_path: Path
) -> None:
    table = dataclasses.replace(split(3, 1.0), image_id=("é (1).png", "", "x"))
    table.write(path)
    columns = [pa.array(getattr(table, name), pa.string()) for name in COLUMNS[:3]]
    columns += [pa.array(table.label, pa.int64())]
    columns += [pa.array(np.ascontiguousarray(column), pa.float32()) for column in table.logits.T]
    columns += [pa.array(np.ascontiguousarray(column), pa.float64()) for column in table.probabilities.T]
    usual = tmp_path / "usual.parquet"
    made = pa.table(columns, names=list(COLUMNS))
    parquet.write_table(made, usual, compression="zstd", write_page_checksum=True)
    assert path.read_bytes() == usual.read_bytes()
    assert Predictions.read(path).image_id == table.image_id


def test_what_is_written_is_read(split: Split, path: Path) -> None:
    table = split(30, 1.5, groups=[i // 2 for i in range(30)])
    table.write(path)
    found = Predictions.read(path)
    assert (found.image_id, found.sha256, found.group) == (table.image_id, table.sha256, table.group)
    np.testing.assert_array_equal(found.label, table.label)
    np.testing.assert_array_equal(found.logits, table.logits)
    assert found.label.dtype == np.int64
    assert found.logits.dtype == np.float32


def test_the_columns_are_the_documented_ones(split: Split, path: Path) -> None:
    split(5, 1).write(path)
    assert tuple(parquet.read_schema(path).names) == (
        *("image_id", "sha256", "group", "label"),
        *(f"logit_{name}" for name in CLASSES),
        *(f"prob_{name}" for name in CLASSES),
    )


def test_probabilities_are_the_softmax_even_of_huge_logits(split: Split) -> None:
    table = split(50, 3)
    expected = softmax(table.logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(table.probabilities, expected, rtol=1e-12)
    huge = dataclasses.replace(table, logits=table.logits * 1e30)
    assert np.isfinite(huge.probabilities).all()


def test_equal_tables_give_equal_bytes(split: Split, tmp_path: Path) -> None:
    for name in ("one", "two"):
        split(200, 1).write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_logit_that_is_not_finite_is_refused_and_the_old_file_kept(split: Split, path: Path) -> None:
    table = split(10, 1)
    table.write(path)
    before = path.read_bytes()
    logits = table.logits.copy()
    logits[3, 1] = np.nan
    with pytest.raises(DataError, match=r"logit_large_cell_carcinoma, row 3: nan is not finite"):
        dataclasses.replace(table, logits=logits).write(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_named(path: Path) -> None:
    assert problems(path) == ["no such file"]


def test_every_truncation_and_most_flipped_bits_are_found_and_none_changes_a_number(
    split: Split, path: Path
) -> None:
    table = split(20, 1)
    table.write(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        problems(path)
    random = np.random.default_rng(0)
    refused = 0
    for position in random.integers(len(whole), size=150):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            found = Predictions.read(path)
        except DataError:
            refused += 1
        else:  # the bit was in a part that carries no content
            assert (found.image_id, found.group) == (table.image_id, table.group)
            np.testing.assert_array_equal(found.label, table.label)
            np.testing.assert_array_equal(found.logits, table.logits)
    assert refused > 75


def test_all_wrong_columns_are_named_at_once(split: Split, path: Path) -> None:
    split(5, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        del columns["group"]
        columns["prob_benign"] = columns.pop("prob_normal")

    rewrite(path, change)
    assert problems(path) == [
        "column group is missing",
        "column prob_normal is missing",
        "column prob_benign is unknown",
    ]


def test_another_class_order_is_refused(split: Split, path: Path) -> None:
    split(5, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        columns["logit_adenocarcinoma"] = columns.pop("logit_adenocarcinoma")

    rewrite(path, change)
    assert problems(path) == [f"the columns are in another order than {', '.join(COLUMNS)}"]


def test_a_wrong_type_and_an_empty_cell_are_refused(split: Split, path: Path) -> None:
    split(5, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        columns["sha256"][2] = None

    rewrite(path, change, label=pa.int32())
    assert problems(path) == ["column label is int32, not int64", "column sha256 has empty cells"]


def test_every_impossible_cell_is_named_by_column_and_row(split: Split, path: Path) -> None:
    split(12, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        columns["image_id"][7] = columns["image_id"][2] = "twice.png"
        columns["label"][4] = 4
        columns["label"][5] = -1
        columns["logit_normal"] = [float("inf")] * 12

    rewrite(path, change)
    assert problems(path) == [
        "column image_id, row 7: twice.png stands in an earlier row too",
        "column label, row 4: 4 is not a class, 0 to 3",
        "column label, row 5: -1 is not a class, 0 to 3",
        *(f"column logit_normal, row {row}: inf is not finite" for row in range(5)),
        "column logit_normal: 7 more rows with the same problem",
    ]


def test_probabilities_that_do_not_belong_to_the_logits_are_refused(split: Split, path: Path) -> None:
    split(6, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        columns["prob_normal"][3] = 0.25

    rewrite(path, change)
    assert problems(path) == ["column prob_normal, row 3: 0.25 is not the softmax of the logits"]


def test_an_empty_table_is_refused(split: Split, path: Path) -> None:
    table = split(3, 1)
    with pytest.raises(DataError, match="no rows"):
        dataclasses.replace(
            table, image_id=(), sha256=(), group=(), label=table.label[:0], logits=table.logits[:0]
        ).write(path)


def test_probabilities_that_are_no_numbers_are_refused(split: Split, path: Path) -> None:
    split(6, 1).write(path)

    def change(columns: dict[str, list[Any]]) -> None:
        columns["prob_normal"][3] = float("nan")
        columns["logit_adenocarcinoma"][1] = float("nan")

    rewrite(path, change)
    assert problems(path) == ["column logit_adenocarcinoma, row 1: nan is not finite"]
    split(6, 1).write(path)
    rewrite(path, lambda columns: columns["prob_normal"].__setitem__(3, float("nan")))
    assert problems(path) == ["column prob_normal, row 3: nan is not the softmax of the logits"]


@pytest.mark.parametrize("content", [b"", b"image_id,label\n1,2\n", b"PAR1PAR1", b"\0" * 4000])
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (problem,) = problems(path)
    assert problem.startswith("cannot be read as parquet")


def test_the_table_of_another_program_is_refused_by_its_columns(path: Path) -> None:
    path.parent.mkdir(parents=True)
    parquet.write_table(pa.table({"image_id": ["a"], "label": [0], "score": [0.5]}), path)
    found = problems(path)
    assert "column sha256 is missing" in found
    assert "column score is unknown" in found


def test_a_single_image_is_read_and_measured(split: Split, path: Path) -> None:
    split(1, 1).write(path)
    document = summarise(Predictions.read(path), "val", resamples=50)
    assert document["n"] == 1
    assert document["metrics"]["val/auroc"]["value"] is None
    assert document["metrics"]["val/loss"]["low"] is None
    assert any("all images are of one class" in note for note in document["notes"])
