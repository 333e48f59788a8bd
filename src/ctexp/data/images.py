"""Reading one image file safely: PNG, JPEG, TIFF or DICOM in, one channel of grey out.

What a file claims is checked before it is believed, and its content tells its format, not its name. Values of
more than 8 bits become grey by a window that the user names; without one they are refused, since what matters
in them cannot be guessed. `formats` has the rules of each format.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError
from ctexp.core.files import read_regular, sha256_bytes
from ctexp.data import windows
from ctexp.data.catalog import ImageRow
from ctexp.data.formats import raster
from ctexp.data.formats.picture import Picture

MAX_BYTES = 200_000_000
"""The largest file that is read into memory."""

DICOM_MAGIC_AT, DICOM_MAGIC = 128, b"DICM"
"""Where a DICOM file says that it is one (PS3.10, 7.1), and how."""


@dataclass(frozen=True)
class ImageFacts:
    """What is recorded of an image file, as `ctexp.data.catalog.ImageRow` explains it."""

    width: int
    height: int
    mode: str
    bytes: int
    sha256: str
    window: str
    pixels: str
    mean: float
    std: float


def inspect(path: Path, name: str | None = None, window: str = "") -> tuple[ImageFacts, NDArray[np.uint8]]:
    """Decode an image once to prove that it can be; what it is, and its grey levels (height, width).

    Args:
        path: the file.
        name: what messages call it; its path by default.
        window: as `decode`.

    Raises:
        DataError: the file is missing, damaged, too large or of a kind that is refused.
        UsageError: `window` is none.
    """
    name = name or str(path)
    content = read_content(path, name)
    picture = picture_of(content, name, window)
    return facts_of(content, picture), picture.grey


def decode(content: bytes, name: str, window: str = "") -> NDArray[np.uint8]:
    """A file's bytes as grey levels 0..255, shape (height, width).

    Args:
        content: the whole file.
        name: what messages call it.
        window: a name or `LEVEL,WIDTH`, for values of more than 8 bits; an 8-bit image is taken as it is.

    Raises:
        DataError: the bytes are damaged, too large or of a kind that is refused.
        UsageError: `window` is none.
    """
    return picture_of(content, name, window).grey


def picture_of(content: bytes, name: str, window: str = "") -> Picture:
    """`decode`, with what else the file says."""
    parsed = windows.parse(window) if window else None
    # DICOM first: what stands before its mark may be a TIFF's header, for readers that know only that.
    if content.startswith(DICOM_MAGIC, DICOM_MAGIC_AT):
        from ctexp.data.formats import dicom  # takes 0.3 s, and most sets have none

        return dicom.read(content, name, parsed)
    if raster.is_raster(content):
        return raster.read(content, name, parsed)
    raise DataError(f"{name}: not a PNG, JPEG, TIFF or DICOM image")


def original(raw: Path, row: ImageRow) -> NDArray[np.uint8]:
    """The grey levels (height, width) of a data set's image.

    Raises:
        DataError: its file is missing, or not the one that was imported.
    """
    file = raw / row.path
    content = read_content(file, str(file))
    if sha256_bytes(content) != row.sha256:
        raise DataError(f"{file}: its content differs from what was imported")
    return decode(content, str(file), row.window)


def facts_of(content: bytes, picture: Picture) -> ImageFacts:
    """What is recorded of a file and the picture decoded from it."""
    grey = picture.grey
    return ImageFacts(
        width=grey.shape[1],
        height=grey.shape[0],
        mode=picture.mode,
        bytes=len(content),
        sha256=sha256_bytes(content),
        window=picture.window,
        pixels=sha256_bytes(repr(grey.shape).encode() + grey.tobytes()),
        mean=float(grey.mean()),
        std=float(grey.std()),
    )


def read_content(path: Path, name: str) -> bytes:
    """The file's bytes.

    Raises:
        DataError: it is missing, no file, cannot be read, is empty or larger than `MAX_BYTES`.
    """
    try:
        content = read_regular(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file") from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from error
    if not content:
        raise DataError(f"{name}: empty file")
    return content
