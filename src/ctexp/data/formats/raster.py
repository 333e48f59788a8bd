"""PNG, JPEG and TIFF through Pillow.

The rules to grey:

    1, L                 as they are, 1-bit as 0 and 255
    P                    palette looked up, then as RGB
    RGB                  Pillow's "L": luma after ITU-R BT.601, (299 R + 587 G + 114 B) / 1000
    LA, RGBA, tRNS       composited on black, then as above
    CMYK                 to RGB by Pillow, without a colour profile, then as above
    9 to 16 bits, grey   by a window of its stored values; refused without one
    the rest             refused: 16-bit colour, 32 bits, floating point, animations, several pages

An EXIF orientation is not applied to PNG and JPEG; that of a TIFF is, since it is part of the format.
"""

import struct
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ctexp.core.errors import DataError
from ctexp.data.formats.picture import MARK, WINDOW_HINT, Picture, check_size, silence
from ctexp.data.windows import Window

_PLUGINS: dict[bytes, type[ImageFile]] = {
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"\xff\xd8\xff": JpegImageFile,
    b"II\x2a\x00": TiffImageFile,
    b"MM\x00\x2a": TiffImageFile,
}
_EIGHT_BIT_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK"}
_SIXTEEN_BIT_MODES = {"I;16", "I;16B", "I"}  # Pillow reads signed 16-bit TIFFs as "I"
_PNG_BIT_DEPTH_AT = 24
_BITS, _POLARITY, _SAMPLE_FORMAT = 258, 262, 339  # TIFF tags
_WHITE_IS_ZERO = 0
_SIGNED = 2

# What Pillow's plugins raise for damaged input.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, RuntimeError),
    *(ArithmeticError, struct.error, zlib.error),
)


def is_raster(content: bytes) -> bool:
    """Whether a file begins as those read here do."""
    return content.startswith(tuple(_PLUGINS))


def read(content: bytes, name: str, window: Window | None) -> Picture:
    """Decode a file.

    Its size in pixels is checked in the header, before memory is spent on it; then all of it is decoded,
    since a truncated file is noticed only there. A PNG's checksums are verified too.

    Args:
        content: the file's bytes.
        name: what messages call it.
        window: for values of more than 8 bits; 8-bit levels are taken as they are.

    Raises:
        DataError: the bytes are damaged, too large or of a kind that is refused.
    """
    # Plugins are called directly: `Image.open` would warn of large images on its own terms, and try formats
    # that nobody meant.
    plugin = next(plugin for magic, plugin in _PLUGINS.items() if content.startswith(magic))
    silence("PIL")
    try:
        image = plugin(BytesIO(content))
        check_size(image.width, image.height, name)
        bits = _bits(image, content)
        objection = _objection(image, bits)
        if objection:
            raise DataError(f"{name}: {objection}")
        if bits > 8 and (window is None or window.name):
            lack = f"{window.name} is a window of Hounsfield units" if window else "no window is given"
            raise DataError(f"{name}: {bits} bits a channel, of no known unit, and {lack}", WINDOW_HINT)
        if image.format == "PNG":
            PngImageFile(BytesIO(content)).verify()
        image.load()
    except _DAMAGED as error:
        raise DataError(f"{name}: damaged {plugin.format} ({error})") from error
    if bits > 8 and window:
        return Picture(window.apply(np.asarray(image)), image.mode, str(window), "stored values")
    marked = image.info.get("Description") == MARK or image.info.get("comment") == MARK.encode()
    return Picture(_grey(image), image.mode, synthetic=marked)


def _bits(image: ImageFile, content: bytes) -> int:
    """Bits a channel, 8 if they are fewer. Pillow's mode does not tell: it reads 16-bit RGB as 8-bit."""
    if isinstance(image, TiffImageFile):
        return int(max(8, *image.tag_v2.get(_BITS, (1,))))
    return 16 if image.format == "PNG" and content[_PNG_BIT_DEPTH_AT] == 16 else 8


def _objection(image: ImageFile, bits: int) -> str:
    """Why images of this kind are not read; empty where they are."""
    if image.mode == "F" or bits > 16:
        values = "floating-point" if image.mode == "F" else f"{bits}-bit"
        return f"{values} values are not read; save them as 16-bit grey"
    if bits > 8 and (image.mode not in _SIXTEEN_BIT_MODES or image.has_transparency_data):
        return f"{bits} bits a channel of colour or transparency; save it as grey"
    if bits <= 8 and image.mode not in _EIGHT_BIT_MODES:
        return f"mode {image.mode} is not read; save it as 8-bit grey or RGB"
    if bits <= 8 and isinstance(image, TiffImageFile) and _SIGNED in image.tag_v2.get(_SAMPLE_FORMAT, ()):
        return "signed 8-bit values are not read; save them as unsigned"
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        kind = f"a TIFF of {frames} pages" if image.format == "TIFF" else f"an animation of {frames} frames"
        return f"{kind}; save the one that is meant as an image"
    if bits > 8 and isinstance(image, TiffImageFile) and image.tag_v2.get(_POLARITY) == _WHITE_IS_ZERO:
        return f"a {bits}-bit TIFF whose zero is white; save it with black as zero"
    return ""


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    """Grey levels of a loaded 8-bit image, by the rules above."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):  # most are opaque, and compositing takes long
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image)
    if image.mode not in {"1", "L", "RGB"}:
        image = image.convert("RGB")
    return np.array(image.convert("L"))
