"""Images of no data set: which are found, by which window they are read."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from ctexp.core.errors import DataError
from ctexp.data import catalog, unlabelled
from tests.data.rows import row


def test_the_window_of_a_data_set_is_known_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "raw" / "set").mkdir(parents=True)
    rows = [row("0", window="-600,1500"), row("1", window=""), row("2", window="-600,1500")]
    written = catalog.write(tmp_path, "set", rows)
    assert unlabelled.window_of_set(tmp_path, "set", written.sha256) == "lung"
    assert unlabelled.window_of_set(tmp_path, "set", "0" * 64) == ""
    assert unlabelled.window_of_set(tmp_path, "gone", written.sha256) == ""
    written = catalog.write(tmp_path, "set", [row("0", window="10,20"), row("1", window="10,30")])
    assert unlabelled.window_of_set(tmp_path, "set", written.sha256) == ""


def test_names_that_fit_no_line_are_refused_and_links_are_followed_to_files_only(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "deep").mkdir(parents=True)
    Image.new("L", (4, 4)).save(folder / "deep" / "a.png")
    (folder / "b.png").symlink_to("deep/a.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "again").symlink_to(folder)
    found = unlabelled.find(folder)
    assert found.names == ("b.png", "deep/a.png")
    assert found.passed_over == ("again", "gone.png")
    shutil.copy(folder / "deep" / "a.png", folder / "two\nlines.png")
    with pytest.raises(DataError, match="control or undecodable characters"):
        unlabelled.find(folder)
