"""Reading one image file safely: 8-bit PNG or JPEG in, one channel of grey out.

What a file claims is checked before it is believed: its size in pixels from the header, before memory is
spent on it; then all of it is decoded, since a truncated file is noticed only there. A PNG's checksums are
verified too. The rules to grey:

    1, L                 as they are, 1-bit as 0 and 255
    P                    palette looked up, then as RGB
    RGB                  Pillow's "L": luma after ITU-R BT.601, (299 R + 587 G + 114 B) / 1000
    LA, RGBA, tRNS       composited on black, then as above
    CMYK (JPEG)          to RGB by Pillow, without a colour profile, then as above
    16 bits a channel    refused: which window of the values matters cannot be guessed
    animations           refused

Pixels are taken as stored: an EXIF orientation is not applied.
"""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_bytes

MAX_PIXELS = 40_000_000
"""The largest width × height that is decoded; a CT slice has a quarter of a million."""

MAX_BYTES = 200_000_000
"""The largest file that is read into memory."""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_BIT_DEPTH_AT = 24
_EIGHT_BIT_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK"}

# What Pillow's PNG and JPEG plugins raise for damaged input.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, zlib.error)


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


def read_grey(path: Path) -> NDArray[np.uint8]:
    """The image as grey levels 0..255, shape (height, width).

    Raises:
        DataError: the file is missing, damaged, too large or of a kind that is refused.
    """
    return decode(read_content(path, str(path)), str(path))


def inspect(path: Path, name: str | None = None) -> tuple[ImageFacts, NDArray[np.uint8]]:
    """Decode an image once to prove that it can be; what it is, and its grey levels (height, width).

    Args:
        path: the file.
        name: what messages call it; its path by default.

    Raises:
        DataError: as `read_grey`.
    """
    name = name or str(path)
    content = read_content(path, name)
    image = _loaded(content, name)
    grey = _grey(image)
    facts = ImageFacts(
        width=image.width,
        height=image.height,
        mode=image.mode,
        bytes=len(content),
        sha256=sha256_bytes(content),
        window="",
        pixels=sha256_bytes(repr(grey.shape).encode() + grey.tobytes()),
        mean=float(grey.mean()),
        std=float(grey.std()),
    )
    return facts, grey


def read_content(path: Path, name: str) -> bytes:
    """The file's bytes.

    Raises:
        DataError: it is missing, cannot be read, is empty or larger than `MAX_BYTES`.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(f"{name}: {size:,} bytes; at most {MAX_BYTES:,} are read")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file") from error
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from error
    if not content:
        raise DataError(f"{name}: empty file")
    return content


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """A file's bytes as grey levels 0..255, shape (height, width).

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        DataError: the bytes are damaged, too large or of a kind that is refused.
    """
    return _grey(_loaded(content, name))


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    """Grey levels of a loaded image, by the rules above."""
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    if image.mode not in {"1", "L", "RGB"}:
        image = image.convert("RGB")
    return np.array(image.convert("L"))


def _loaded(content: bytes, name: str) -> ImageFile:
    """The image with all its pixels decoded."""
    image = _opened(content, name)
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise DataError(
            f"{name}: {image.width}x{image.height} is {pixels / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} are decoded"
        )
    if image.format == "PNG" and content[_PNG_BIT_DEPTH_AT] == 16:
        raise DataError(f"{name}: 16 bits a channel; window it to 8 bits first")
    if image.mode not in _EIGHT_BIT_MODES:
        raise DataError(f"{name}: mode {image.mode} is not read; save it as 8-bit grey or RGB")
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise DataError(f"{name}: an animation of {frames} frames; save the one that is meant as an image")
    try:
        if image.format == "PNG":
            PngImageFile(BytesIO(content)).verify()
        image.load()
    except _DAMAGED as error:
        raise DataError(f"{name}: damaged {image.format} ({error})") from error
    return image


def _opened(content: bytes, name: str) -> ImageFile:
    """The image with only its header read.

    Pillow's plugins are called directly: `Image.open` would warn of large images on its own terms, and try
    formats that nobody meant.
    """
    plugins = {_PNG_MAGIC: PngImageFile, _JPEG_MAGIC: JpegImageFile}
    plugin = next((plugin for magic, plugin in plugins.items() if content.startswith(magic)), None)
    if plugin is None:
        raise DataError(f"{name}: not a PNG or JPEG image")
    try:
        return plugin(BytesIO(content))
    except _DAMAGED as error:
        raise DataError(f"{name}: damaged {plugin.format} ({error})") from error
