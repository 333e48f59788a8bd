from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError, UsageError
from ctexp.core.files import sha256_bytes, sha256_file
from ctexp.data import catalog
from tests.data.rows import row


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with the set `few`: three images, the catalog's rows out of order."""
    raw = tmp_path / "raw" / "few"
    rows = [row("train/normal/l6 (2).png"), row("test/b.png", split="test"), row("a.png", b"others")]
    for one, content in zip(rows, (b"pixels", b"pixels", b"others"), strict=True):
        (raw / one.path).parent.mkdir(parents=True, exist_ok=True)
        (raw / one.path).write_bytes(content)
    catalog.write(tmp_path, "few", rows)
    return tmp_path


def test_what_was_written_is_what_is_loaded(data_dir: Path) -> None:
    loaded = catalog.load(data_dir, "few")

    assert [one.image_id for one in loaded.rows] == ["a.png", "test/b.png", "train/normal/l6 (2).png"]
    assert loaded.rows[1] == row("test/b.png", split="test")
    assert loaded.raw == data_dir / "raw" / "few"
    assert loaded.sha256 == sha256_file(data_dir / "raw" / "few.parquet")
    assert loaded == catalog.write(data_dir, "few", loaded.rows)
    assert loaded.rows[0].label == 3


def test_the_file_has_the_documented_columns(data_dir: Path) -> None:
    assert pq.read_schema(data_dir / "raw" / "few.parquet").names == [
        "image_id",
        "path",
        "split",
        "class",
        "group",
        "excluded",
        "bytes",
        "sha256",
        "width",
        "height",
        "mode",
        "window",
        "pixels",
        "mean",
        "std",
    ]


def test_a_missing_set_is_told_with_the_ways_to_get_one(data_dir: Path) -> None:
    with pytest.raises(DataError) as failure:
        catalog.load(data_dir, "chest_ct")
    assert "data-import PATH --name chest_ct" in failure.value.hint
    assert "data=phantom" in failure.value.hint

    with pytest.raises(DataError) as failure:
        catalog.load(data_dir, "phantom")
    assert failure.value.hint == "make it: scripts/inv data-phantom"

    with pytest.raises(DataError) as failure:
        catalog.load(data_dir, "feww")
    assert failure.value.hint.startswith("did you mean 'few'?")


def test_a_catalog_without_its_folder_is_refused(data_dir: Path) -> None:
    (data_dir / "raw" / "few").rename(data_dir / "elsewhere")

    with pytest.raises(DataError, match="the images of data set 'few' are gone"):
        catalog.load(data_dir, "few")


def test_names_cannot_leave_the_data_folder(data_dir: Path) -> None:
    for name in ("../few", "/few", "few/", ""):
        with pytest.raises(UsageError):
            catalog.load(data_dir, name)


def test_available_names_the_sets_there_are(data_dir: Path) -> None:
    (data_dir / "raw" / ".few.parquet.x.tmp").touch()

    assert catalog.available(data_dir) == ["few"]
    assert catalog.available(data_dir / "nothing") == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all, whatever its name says"])
def test_a_damaged_catalog_is_a_data_error(data_dir: Path, content: bytes) -> None:
    (data_dir / "raw" / "few.parquet").write_bytes(content)

    with pytest.raises(DataError, match="not a parquet file"):
        catalog.load(data_dir, "few")


def edit(data_dir: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    file = data_dir / "raw" / "few.parquet"
    pq.write_table(change(pq.read_table(file)), file)


def test_text_that_is_none_is_damage(data_dir: Path) -> None:
    broken = pa.array([b"\xff"] * len(catalog.load(data_dir, "few").rows), pa.binary()).view(pa.string())
    edit(data_dir, lambda table: table.set_column(0, "image_id", broken))

    with pytest.raises(DataError, match=r"not a parquet file .*UTF8"):
        catalog.load(data_dir, "few")


def test_every_wrong_column_is_named(data_dir: Path) -> None:
    def change(table: pa.Table) -> pa.Table:
        table = table.drop_columns(["mode"]).append_column("patient", pa.array(["x"] * 3))
        table = table.set_column(6, "bytes", pa.array(["1", "2", "3"]))
        return table.set_column(3, "class", pa.array(["normal", None, None]))

    edit(data_dir, change)

    with pytest.raises(DataError) as failure:
        catalog.load(data_dir, "few")
    assert [problem.split(".parquet: ")[1] for problem in failure.value.problems] == [
        "column 'patient' is unknown",
        "column 'class' has 2 nulls",
        "column 'bytes' is string, not int64",
        "column 'mode' is missing",
    ]


def test_every_wrong_row_is_named(data_dir: Path) -> None:
    wrong = {
        "image_id": ["a.png", "a.png", "c.png"],
        "path": ["../a.png", "/etc/passwd", "c.png"],
        "split": ["train", "dev", "train"],
        "class": ["normal", "normal", "benign"],
        "sha256": [sha256_bytes(b"others"), sha256_bytes(b""), "F" * 64],
        "width": pa.array([4, 4, 0], pa.int32()),
    }

    def change(table: pa.Table) -> pa.Table:
        for name, values in wrong.items():
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        return table

    edit(data_dir, change)

    with pytest.raises(DataError) as failure:
        catalog.load(data_dir, "few")
    assert [problem.split(".parquet: ")[1] for problem in failure.value.problems] == [
        "a.png: listed 2 times",
        "a.png: path '../a.png' leaves the raw folder",
        "a.png: split 'dev' is none of train, val, test",
        "a.png: path '/etc/passwd' leaves the raw folder",
        f"c.png: class 'benign' is none of {', '.join(CLASSES)}",
        "c.png: sha256 is not 64 hexadecimal digits",
        "c.png: bytes, width and height must be positive",
    ]


def test_no_wrong_row_is_ever_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png: listed 2 times"):
        catalog.write(tmp_path, "few", [row("a.png"), row("a.png")])
    with pytest.raises(DataError, match="no rows"):
        catalog.write(tmp_path, "few", [])
    assert not (tmp_path / "raw").exists()


def test_files_that_differ_from_the_catalog_are_all_named(data_dir: Path) -> None:
    few = catalog.load(data_dir, "few")
    few.verify_files(few.rows, full=True)

    (few.raw / "a.png").write_bytes(b"sizes too")
    (few.raw / "test" / "b.png").unlink()
    (few.raw / "train" / "normal" / "l6 (2).png").write_bytes(b"sixels")

    with pytest.raises(DataError) as failure:
        few.verify_files(few.rows)
    assert failure.value.problems == (
        f"{few.raw}/a.png: 9 bytes, the catalog says 6",
        f"{few.raw}/test/b.png: no such file or directory",
    )
    with pytest.raises(DataError) as failure:
        few.verify_files(few.rows, full=True)
    assert failure.value.problems[2:] == (
        f"{few.raw}/train/normal/l6 (2).png: its content differs from what was imported",
    )


def test_a_synthetic_set_says_so_wherever_it_is_named(data_dir: Path) -> None:
    plain = catalog.load(data_dir, "few")
    assert plain.title == "few"
    catalog.write(data_dir, "few", plain.rows, synthetic=True)
    assert catalog.load(data_dir, "few").title == "few (synthetic)"
