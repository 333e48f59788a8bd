"""Decoded, resized images: kept on disk and shared by runs and data sets, or made at every use.

    data/cache/pad224-v1-pillow13.0.0-opencv5.0.0/
      images.u8     rows of size × size bytes, appended to, never moved
      index.txt     line i belongs to row i: its key, its CRC-32

A key is the SHA-256 of the file an image came from, with `@` and the window where one makes it grey; the
folder's name says how rows were made, down to the libraries, whose versions differ by a grey level here and
there. Rows are on disk before the index names them: after a crash, rows past the index are written over, and
a row whose CRC does not hold is made anew in its place.
"""

import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from ctexp.core.errors import Busy
from ctexp.core.files import storage_errors, write_text
from ctexp.core.locks import FileLock
from ctexp.core.screen import note
from ctexp.data.catalog import ImageRow
from ctexp.data.images import original
from ctexp.data.parallel import each
from ctexp.data.resize import Resize, to_square

Progress = Callable[[int, int], None]
"""Called with (done, total) images."""

_LINE = re.compile(r"([0-9a-f]{64}(?:@.+)?) ([0-9a-f]{8})")
_CHANGED = "put the original files back, or import the set under another name"
_NOTE_SECONDS = 30.0


class UncachedImages:
    """The images of some rows, decoded at every use: pixel for pixel what the cache gives.

    Args:
        raw: the data set's raw folder.
        rows: its images; `take` counts in them.
        size: the side of the square, in pixels.
        resize: how to get there.
    """

    def __init__(self, raw: Path, rows: Sequence[ImageRow], size: int, resize: Resize) -> None:
        self._rows = tuple(rows)
        self._square = partial(_square, raw, size, resize)
        self._size = size

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The images at `indices` (B,) as grey levels, shape (B, size, size).

        Raises:
            DataError: files are missing, damaged or changed since the import; all of the batch are listed.
        """
        squares = each(self._square, [self._rows[index] for index in indices], hint=_CHANGED)
        return np.stack(squares) if squares else np.zeros((0, self._size, self._size), np.uint8)


class ImageCache:
    """The images of some rows, mapped from the cache file. Made by `ImageCache.open`."""

    def __init__(self, images: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
        self._images = images
        self._places = places

    @classmethod
    def open(
        cls,
        data_dir: Path,
        raw: Path,
        rows: Sequence[ImageRow],
        size: int,
        resize: Resize,
        progress: Progress | None = None,
    ) -> "ImageCache":
        """Open the cache for `rows`, making the images that are not there or damaged.

        Where another process is making some, wait for it.

        What it is made of is as `UncachedImages` says; `progress` is told of the images being made.

        Raises:
            DataError: files are missing, damaged or changed since the import; all are listed.
            StorageError: the disk is full or the folder cannot be written.
        """
        made_by = f"pillow{PIL.__version__}-opencv{cv2.__version__}"
        store = _Store(data_dir / "cache" / f"{resize}{size}-v1-{made_by}", size)
        if store.missing(rows):
            with _waiting(FileLock(store.folder / ".lock", f"the image cache {store.folder}")):
                store.read()
                store.add(store.missing(rows), partial(_square, raw, size, resize), progress)
        places = np.array([store.index[_key(row)][0] for row in rows], np.int64)
        return cls(store.mapped(), places)

    def __len__(self) -> int:
        return len(self._places)

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The images at `indices` (B,) as grey levels, shape (B, size, size): a copy."""
        return np.asarray(self._images[self._places[indices]])


class _Store:
    """The two files of one cache folder, and where in them each image is: key -> (row, CRC-32)."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self._images_file = folder / "images.u8"
        self._index_file = folder / "index.txt"
        self.index: dict[str, tuple[int, int]] = {}
        self.read()

    def read(self) -> None:
        """Read the index; one that cannot be read is as good as none, since all can be made anew."""
        self.index = {}
        try:
            lines = self._index_file.read_text().splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return
        found = [_LINE.fullmatch(line) for line in lines]
        if all(found) and len({match[1] for match in found if match}) == len(lines):
            self.index = {match[1]: (row, int(match[2], 16)) for row, match in enumerate(found) if match}

    def mapped(self) -> NDArray[np.uint8]:
        """All whole rows of the image file, read-only, shape (rows, size, size)."""
        shape = (self.size, self.size)
        length = self._images_file.stat().st_size if self._images_file.exists() else 0
        count = length // (self.size * self.size)
        if not count:  # an empty file cannot be mapped
            return np.zeros((0, *shape), np.uint8)
        return np.memmap(self._images_file, np.uint8, "r", shape=(count, *shape))

    def missing(self, rows: Sequence[ImageRow]) -> list[ImageRow]:
        """The rows whose image is not in the cache or not whole, one of each key."""
        images = self.mapped()

        def is_whole(row: ImageRow) -> bool:
            place, crc = self.index.get(_key(row), (len(images), 0))
            return place < len(images) and zlib.crc32(images[place]) == crc

        distinct = {_key(row): row for row in rows}
        return [row for row in distinct.values() if not is_whole(row)]

    def add(
        self,
        rows: Sequence[ImageRow],
        square: Callable[[ImageRow], NDArray[np.uint8]],
        progress: Progress | None,
    ) -> None:
        """Make the images of `rows`, each in its old place or a new one at the end, then name them."""
        if not rows:
            return
        if not self.index:
            # Whatever is there, a run may be reading it: a new file, rather than other rows in its places.
            self._images_file.unlink(missing_ok=True)
        fresh = [_key(row) for row in rows if _key(row) not in self.index]
        places = {key: place for key, (place, _) in self.index.items()}
        places |= {key: len(self.index) + number for number, key in enumerate(fresh)}
        with storage_errors(self._images_file):
            descriptor = os.open(self._images_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

        def make(row: ImageRow) -> int:
            content = square(row).tobytes()
            with storage_errors(self._images_file):
                _write_at(descriptor, content, places[_key(row)] * len(content))
            return zlib.crc32(content)

        try:
            crcs = each(make, rows, progress, _CHANGED)
            with storage_errors(self._images_file):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.index |= {_key(row): (places[_key(row)], crc) for row, crc in zip(rows, crcs, strict=True)}
        in_order = sorted(self.index.items(), key=lambda item: item[1][0])
        write_text(self._index_file, "".join(f"{key} {crc:08x}\n" for key, (_, crc) in in_order))


def _key(row: ImageRow) -> str:
    """What an image's pixels depend on besides the folder's name."""
    return f"{row.sha256}@{row.window}" if row.window else row.sha256


def _square(raw: Path, size: int, resize: Resize, row: ImageRow) -> NDArray[np.uint8]:
    return to_square(original(raw, row), size, resize)


def _write_at(descriptor: int, content: bytes, offset: int) -> None:
    """Write all of `content`: near a full disk a single call may write only part of it."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


@contextmanager
def _waiting(lock: FileLock) -> Iterator[None]:
    """Hold `lock`, waiting for whoever has it; who that is is said at once, then every half minute."""
    patience = 0.2
    while True:
        try:
            lock.acquire(patience)
            break
        except Busy as busy:
            note(f"{busy}; waiting for it")
            patience = _NOTE_SECONDS
    try:
        yield
    finally:
        lock.release()
