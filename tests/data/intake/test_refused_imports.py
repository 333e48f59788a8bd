"""Imports that are refused before anything is looked at: what is named is no set, no table, no list."""

import os
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.data.intake.importer import import_dataset


def test_a_table_list_or_window_that_is_wrong_is_refused_before_anything_is_unpacked(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "T.csv").write_text("name,age\na.png,3\n")

    with pytest.raises(DataError, match="no column 'image'"):
        import_dataset(source, "chest", tmp_path, 42, table=tmp_path / "T.csv")
    with pytest.raises(DataError, match="no such file"):
        import_dataset(source, "chest", tmp_path, 42, exclude=tmp_path / "skip.txt")
    with pytest.raises(UsageError, match="LEVEL,WIDTH"):
        import_dataset(source, "chest", tmp_path, 42, window="")
    assert not (tmp_path / "raw").exists()


def test_what_cannot_be_read_is_told_at_once_and_what_can_be_is_said(tmp_path: Path) -> None:
    gone, table, skip = (tmp_path / name for name in ("gone", "T.csv", "skip.txt"))
    with pytest.raises(DataError) as failure:
        import_dataset(gone, "chest", tmp_path, 42, table=table, exclude=skip)
    assert failure.value.problems == (
        f"{gone}: no such folder or zip file",
        f"{table}: no such file or directory",
        f"{skip}: no such file or directory",
    )
    assert "give a folder of images, or a .zip of one" in failure.value.hint

    (tmp_path / "set.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(DataError, match="neither a folder nor a zip file") as failure:
        import_dataset(tmp_path / "set.tar.gz", "chest", tmp_path, 42)
    assert "give a folder of images, or a .zip of one" in failure.value.hint


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("pipe", "no such folder or zip file"),
        ("loop", "no such folder or zip file"),
        ("x" * 300, "file name too long"),
        ("~nobody-of-this-name", "no such folder or zip file"),
    ],
)
def test_a_source_that_is_neither_folder_nor_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    with pytest.raises(DataError) as failure:
        import_dataset(Path(name), "chest", tmp_path, 42)
    assert failure.value.problems == (f"{tmp_path / name}: {why}",)


def test_a_table_or_list_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DataError) as failure:
        import_dataset(tmp_path, "chest", tmp_path, 42, table=pipe, exclude=Path("/dev/zero"))
    assert failure.value.problems == (f"{pipe}: not a regular file", "/dev/zero: not a regular file")
