import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.errors import DataError, StorageError
from ctexp.core.files import sha256_file
from ctexp.data.cache import ImageCache, UncachedImages
from ctexp.data.catalog import ImageRow
from ctexp.data.images import inspect
from ctexp.data.resize import to_square
from tests.data.rows import row
from tests.full_disk import largest_file

SIZE = 32


def make_set(folder: Path, count: int, seed: int = 0) -> list[ImageRow]:
    """Images of odd sizes and modes, and the rows a catalog would hold of them."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        shape = tuple(rng.integers(20, 90, 2))
        mode = ("L", "RGB", "RGBA")[number % 3]
        name = f"{number} (2).png"
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).convert(mode).save(folder / name)
        rows.append(row_of(folder, name))
    return rows


def row_of(folder: Path, name: str) -> ImageRow:
    return row(name, (folder / name).read_bytes())


def expected(folder: Path, rows: list[ImageRow]) -> NDArray[np.uint8]:
    return np.stack([to_square(inspect(folder / row.path)[1], SIZE, "pad") for row in rows])


def opened(data_dir: Path, raw: Path, rows: list[ImageRow]) -> tuple[ImageCache, int]:
    """The cache, and how many images were made to open it."""
    made: list[int] = []
    cache = ImageCache.open(data_dir, raw, rows, SIZE, "pad", lambda done, _: made.append(done))
    return cache, len(made)


def everything(cache: ImageCache) -> NDArray[np.uint8]:
    return cache.take(np.arange(len(cache)))


def file_in(data_dir: Path, name: str) -> Path:
    (file,) = (data_dir / "cache").glob(f"pad{SIZE}-v1-*/{name}")
    return file


@pytest.fixture
def rows(tmp_path: Path) -> list[ImageRow]:
    return make_set(tmp_path / "raw", 12)


def test_cached_and_uncached_images_are_the_same_pixels(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    for resize in ("pad", "stretch"):
        cached = ImageCache.open(tmp_path, raw, rows, SIZE, resize)
        uncached = UncachedImages(raw, rows, SIZE, resize)
        chosen = np.array([3, 0, 11, 3])
        np.testing.assert_array_equal(cached.take(chosen), uncached.take(chosen))
        assert cached.take(chosen).shape == (4, SIZE, SIZE)
        assert len(cached) == len(uncached) == 12
    np.testing.assert_array_equal(everything(opened(tmp_path, raw, rows)[0]), expected(raw, rows))


def test_no_rows_are_no_images(tmp_path: Path) -> None:
    nothing = np.array([], np.int64)

    assert ImageCache.open(tmp_path, tmp_path, [], SIZE, "pad").take(nothing).shape == (0, SIZE, SIZE)
    assert UncachedImages(tmp_path, [], SIZE, "pad").take(nothing).shape == (0, SIZE, SIZE)


def test_a_batch_can_be_changed_without_changing_the_cache(tmp_path: Path, rows: list[ImageRow]) -> None:
    cache, _ = opened(tmp_path, tmp_path / "raw", rows)
    cache.take(np.array([0]))[:] = 0

    np.testing.assert_array_equal(everything(cache), expected(tmp_path / "raw", rows))


def test_each_content_is_decoded_once_for_all_sets(tmp_path: Path, rows: list[ImageRow]) -> None:
    other = make_set(tmp_path / "other", 3, seed=1)
    (tmp_path / "other" / "copy.png").write_bytes((tmp_path / "raw" / rows[0].path).read_bytes())
    other += [row_of(tmp_path / "other", "copy.png")] * 2

    assert opened(tmp_path, tmp_path / "raw", rows)[1] == 12
    cache, made = opened(tmp_path, tmp_path / "other", other)
    assert made == 3
    np.testing.assert_array_equal(everything(cache), expected(tmp_path / "other", other))
    assert opened(tmp_path, tmp_path / "raw", rows)[1] == 0
    assert file_in(tmp_path, "images.u8").stat().st_size == 15 * SIZE * SIZE


@pytest.mark.parametrize("damage", [b"\x00\xff", b""])
def test_damaged_rows_are_made_anew_and_only_those(
    tmp_path: Path, rows: list[ImageRow], damage: bytes
) -> None:
    raw = tmp_path / "raw"
    opened(tmp_path, raw, rows)
    images = file_in(tmp_path, "images.u8")
    if damage:
        with images.open("r+b") as file:
            file.seek(3 * SIZE * SIZE + 7)
            file.write(damage)
    else:
        with images.open("r+b") as file:
            file.truncate(11 * SIZE * SIZE + 5)

    cache, made = opened(tmp_path, raw, rows)

    assert made == 1
    np.testing.assert_array_equal(everything(cache), expected(raw, rows))
    assert opened(tmp_path, raw, rows)[1] == 0


@pytest.mark.parametrize(
    "index", ["", "rubbish\n", "a" * 64 + " 00000000\n" + "a" * 64 + " 00000000\n", "\udcff"]
)
def test_an_unreadable_index_means_making_all_anew(tmp_path: Path, rows: list[ImageRow], index: str) -> None:
    raw = tmp_path / "raw"
    opened(tmp_path, raw, rows)
    file_in(tmp_path, "index.txt").write_bytes(index.encode(errors="surrogateescape"))

    cache, made = opened(tmp_path, raw, rows)

    assert made == 12
    np.testing.assert_array_equal(everything(cache), expected(raw, rows))


def test_rows_that_no_index_names_are_written_over(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    opened(tmp_path, raw, rows[:5])
    with file_in(tmp_path, "images.u8").open("ab") as file:
        file.write(b"\xaa" * (3 * SIZE * SIZE + 100))

    cache, made = opened(tmp_path, raw, rows)

    assert made == 7
    np.testing.assert_array_equal(everything(cache), expected(raw, rows))


def test_an_open_cache_is_untouched_by_another_that_grows(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    first, _ = opened(tmp_path, raw, rows[:5])
    opened(tmp_path, raw, rows)

    np.testing.assert_array_equal(everything(first), expected(raw, rows[:5]))


def test_an_open_cache_outlives_the_loss_of_the_index(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    first, _ = opened(tmp_path, raw, rows)
    file_in(tmp_path, "index.txt").unlink()

    second, made = opened(tmp_path, raw, rows[::-1])

    assert made == 12
    np.testing.assert_array_equal(everything(first), expected(raw, rows))
    np.testing.assert_array_equal(everything(second), expected(raw, rows[::-1]))


def test_files_changed_since_the_import_are_all_named(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    Image.new("L", (9, 9)).save(raw / rows[2].path)
    (raw / rows[4].path).unlink()
    unreadable = replace(rows[6], path="text.png")
    (raw / "text.png").write_text("no image")
    rows[6] = replace(unreadable, sha256=sha256_file(raw / "text.png"))

    with pytest.raises(DataError) as failure:
        opened(tmp_path, raw, rows)
    assert failure.value.problems == (
        f"{raw / rows[2].path}: its content differs from what was imported",
        f"{raw / rows[4].path}: no such file",
        f"{raw / 'text.png'}: not a PNG, JPEG, TIFF or DICOM image",
    )
    with pytest.raises(DataError) as failure:
        UncachedImages(raw, rows, SIZE, "pad").take(np.arange(4))
    assert len(failure.value.problems) == 1


def test_the_same_file_under_another_window_is_another_image(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    values = np.random.default_rng(3).integers(0, 4096, (SIZE, SIZE), dtype=np.uint16)
    Image.fromarray(values).save(raw / "deep.png")
    windows = ["2048,4096", "1000,500", "2048,4096"]
    rows = [replace(row_of(raw, "deep.png"), window=window) for window in windows]

    assert opened(tmp_path, raw, rows[:1])[1] == 1
    cache, made = opened(tmp_path, raw, rows)

    assert made == 1
    wide, narrow, again = everything(cache)
    np.testing.assert_array_equal(wide, np.rint(values * (255 / 4096)))
    np.testing.assert_array_equal(narrow, np.rint((values.clip(750, 1250) - 750.0) * (255 / 500)))
    np.testing.assert_array_equal(again, wide)
    np.testing.assert_array_equal(
        UncachedImages(raw, rows, SIZE, "pad").take(np.arange(3)), everything(cache)
    )
    assert opened(tmp_path, raw, rows)[1] == 0


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, rows: list[ImageRow]) -> None:
    raw = tmp_path / "raw"
    opened(tmp_path, raw, rows[:5])

    with largest_file(8 * SIZE * SIZE + 10), pytest.raises(StorageError, match="no space left"):
        opened(tmp_path, raw, rows)

    cache, made = opened(tmp_path, raw, rows[:5])
    assert made == 0
    np.testing.assert_array_equal(everything(cache), expected(raw, rows[:5]))


BUILDER = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from ctexp.data.cache import ImageCache
from ctexp.data.catalog import ImageRow

folder, kill_at = Path(sys.argv[1]), int(sys.argv[2])
rows = [ImageRow(**row) for row in json.loads((folder / "rows.json").read_text())]

def progress(done, total):
    if done == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    if done == 1 and not kill_at:
        print("building", flush=True)
        sys.stdin.readline()

cache = ImageCache.open(folder, folder / "raw", rows, 32, "pad", progress)
print(cache.take(np.arange(len(cache))).sum(), flush=True)
"""


def builder(folder: Path, rows: list[ImageRow], kill_at: int = 0) -> "subprocess.Popen[str]":
    """A process that opens the cache: killed after `kill_at` images, or else held up until told to go on."""
    (folder / "rows.json").write_text(json.dumps([vars(row) for row in rows]))
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", BUILDER, str(folder), str(kill_at)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("kill_at", [1, 11])
def test_a_killed_build_leaves_a_cache_that_works(tmp_path: Path, rows: list[ImageRow], kill_at: int) -> None:
    raw = tmp_path / "raw"
    opened(tmp_path, raw, rows[:1])

    with builder(tmp_path, rows, kill_at) as killed:
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL

    cache, made = opened(tmp_path, raw, rows)
    assert made == 11
    np.testing.assert_array_equal(everything(cache), expected(raw, rows))


def test_a_second_process_waits_for_the_first_and_makes_nothing_twice(
    tmp_path: Path, rows: list[ImageRow]
) -> None:
    total = str(expected(tmp_path / "raw", rows).sum())
    with builder(tmp_path, rows) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "building\n"
        with builder(tmp_path, rows) as second:
            assert second.stderr is not None
            said = second.stderr.readline()
            assert f"in use by pid {first.pid}" in said
            assert "waiting for it" in said
            first_said, _ = first.communicate("go on\n")
            second_said, _ = second.communicate()

    # The second never says `building`: it finds all images made.
    assert first_said.strip() == second_said.strip() == total
    assert file_in(tmp_path, "images.u8").stat().st_size == 12 * SIZE * SIZE
