"""Measuring many images: once each, kept through every end, by several processes at once."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import DataError
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics import store
from ctexp.data.radiomics.columns import FAMILIES, measure
from ctexp.data.radiomics.extract import Extraction, extract
from ctexp.data.radiomics.store import FeatureStore, key_of
from tests.data.radiomics.pictures import noise, save

HERE = Path(__file__).parents[3]
MANY = 40
KILLED_AT = 25

CHILD = """
import sys, time
from pathlib import Path
from ctexp.data.radiomics import store
from ctexp.data.radiomics.extract import extract
from tests.data.radiomics.test_extract import make

def progress(done, total):
    print(done, total, flush=True)
    if done == stop:
        time.sleep(60)

if __name__ == "__main__":
    store._COMMIT_SECONDS = 0
    raw, folder, stop = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    extract(raw, make(raw), folder, progress)
"""


def make(raw: Path, count: int = MANY) -> list[ImageRow]:
    """Images of noise, written where they are not there yet."""
    return [save(raw, f"{seed:03d}.png", noise(seed)) for seed in range(count)]


def begin(raw: Path, folder: Path, stop: int = 0) -> "subprocess.Popen[str]":
    """Extract in another process, which stops in mid-work after so many images."""
    command = [sys.executable, "-c", CHILD, str(raw), str(folder), str(stop)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)


def expected(rows: Sequence[ImageRow]) -> np.ndarray:
    return np.stack([measure(noise(int(Path(row.path).stem)))[0] for row in rows])


def test_each_content_is_measured_once_in_all_data_sets(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "features"
    rows = make(raw, 3)
    copy = replace(rows[0], image_id="copy.png")
    steps: list[tuple[int, int]] = []

    first = extract(raw, [*rows, copy], folder, lambda done, total: steps.append((done, total)))
    again = extract(raw, [copy, *rows], folder)

    assert (first.measured, again.measured) == (3, 0)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(first.values, expected([*rows, rows[0]]))
    np.testing.assert_array_equal(again.values, first.values[[3, 0, 1, 2]])
    assert list(first.milliseconds) == ["body", *FAMILIES]
    assert not again.milliseconds


def test_another_window_or_library_is_another_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "features"
    rows = make(raw, 2)
    extract(raw, rows, folder)

    assert extract(raw, [replace(rows[0], window="40,400"), rows[1]], folder).measured == 1
    monkeypatch.setattr(store, "made_by", lambda: {"definitions": "1", "scipy": "99"})
    assert extract(raw, rows, folder).measured == 2


def test_all_damaged_images_are_listed_and_the_others_kept(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "features"
    rows = make(raw, 5)
    content = (raw / rows[1].path).read_bytes()
    (raw / rows[1].path).write_bytes(content[: len(content) // 2])
    (raw / rows[2].path).unlink()
    not_an_image = save(raw, "text.png", noise(9))
    (raw / "text.png").write_bytes(b"text")
    rows.append(
        replace(not_an_image, sha256="982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1")
    )

    with pytest.raises(DataError) as caught:
        extract(raw, rows, folder)

    said = sorted(problem.removeprefix(f"{raw}/") for problem in caught.value.problems)
    assert said == [
        "001.png: its content differs from what was imported",
        "002.png: no such file",
        "text.png: not a PNG, JPEG, TIFF or DICOM image",
    ]
    assert extract(raw, [rows[0], rows[3], rows[4]], folder).measured == 0


def test_a_killed_extraction_goes_on_where_it_was(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "features"
    rows = make(raw)
    with begin(raw, folder, KILLED_AT) as child:
        assert child.stdout is not None
        while child.stdout.readline() != f"{KILLED_AT} {MANY}\n":
            assert child.poll() is None
        child.kill()

    resumed = extract(raw, rows, folder)

    assert resumed.measured == MANY - KILLED_AT
    np.testing.assert_array_equal(resumed.values, expected(rows))


def test_two_at_once_share_the_cache(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "features"
    rows = make(raw)
    with begin(raw, folder) as one, begin(raw, folder) as other:
        told = [one.communicate()[0], other.communicate()[0]]

    assert any(told)  # a late starter may find that everything is measured
    assert (one.returncode, other.returncode) == (0, 0)
    done: Extraction = extract(raw, rows, folder)
    assert done.measured == 0
    np.testing.assert_array_equal(done.values, expected(rows))
    with FeatureStore(folder) as cache:
        assert len(cache.get([key_of(row) for row in rows])) == MANY
