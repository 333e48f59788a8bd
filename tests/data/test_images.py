import os
import random
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.errors import DataError, UsageError
from ctexp.core.files import sha256_file
from ctexp.data.images import MAX_BYTES, decode, inspect
from tests.data.dicoms import bundled

RNG = np.random.default_rng(7)
GREY = RNG.integers(0, 256, (23, 31), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (23, 31), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def luma(colour: NDArray[Any]) -> NDArray[np.float64]:
    """ITU-R BT.601."""
    return np.asarray(colour @ np.array([0.299, 0.587, 0.114]))


def assert_near(actual: NDArray[np.uint8], expected: NDArray[np.float64], tolerance: float = 1.0) -> None:
    assert actual.dtype == np.uint8
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance


def test_grey_comes_as_it_is() -> None:
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(GREY)), "a"), GREY)


def test_one_bit_becomes_black_and_white() -> None:
    bits = GREY > 127
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(bits)), "a"), np.where(bits, 255, 0))


def test_colour_becomes_luma() -> None:
    assert_near(decode(encoded(Image.fromarray(COLOUR)), "a"), luma(COLOUR))


def test_transparency_is_composited_on_black() -> None:
    rgba = Image.fromarray(np.dstack([COLOUR, ALPHA]))
    la = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])

    assert_near(decode(encoded(rgba), "a"), luma(COLOUR) * ALPHA / 255, tolerance=2)
    assert_near(decode(encoded(la), "a"), GREY * (ALPHA / 255), tolerance=2)


def test_a_palette_is_looked_up_and_its_transparent_entry_is_black() -> None:
    indices = RNG.integers(0, 4, (23, 31), dtype=np.uint8)
    palette = np.array([[200, 10, 10], [10, 200, 10], [10, 10, 200], [250, 250, 250]], np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())

    assert_near(decode(encoded(image), "a"), luma(palette[indices]))
    see_through = luma(palette[indices])
    see_through[indices == 3] = 0
    assert_near(decode(encoded(image, transparency=3), "a"), see_through)


def test_a_transparent_grey_level_is_black() -> None:
    expected = np.where(GREY[0, 0] == GREY, 0, GREY).astype(np.float64)
    assert_near(decode(encoded(Image.fromarray(GREY), transparency=int(GREY[0, 0])), "a"), expected)


def test_jpegs_of_every_mode_are_read() -> None:
    smooth = cv2.GaussianBlur(COLOUR, (0, 0), 4).astype(np.uint8)
    image = Image.fromarray(smooth)
    for mode in ("L", "RGB", "CMYK"):
        actual = decode(encoded(image.convert(mode), "JPEG", quality=95), "a")
        assert_near(actual, luma(smooth), tolerance=6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_images_are_refused_by_name_without_a_window(channels: int) -> None:
    content = sixteen_bit_png(RNG.integers(0, 65536, (23, 31, channels), dtype=np.uint16))

    with pytest.raises(DataError, match=r"^slice\.png: 16 bits a channel"):
        decode(content, "slice.png")


def sixteen_bit_png(values: NDArray[np.uint16]) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, values, photometric=options.pop("photometric", "minisblack"), **options)
    return buffer.getvalue()


def lzw_tiff(values: NDArray[Any]) -> bytes:
    return encoded(Image.fromarray(values), "TIFF", compression="tiff_lzw")


DEEP = RNG.integers(0, 65536, (23, 31), dtype=np.uint16)


@pytest.mark.parametrize(
    "content",
    [
        sixteen_bit_png(DEEP),
        tiff(DEEP),
        tiff(DEEP, byteorder=">"),
        tiff(DEEP, compression="deflate", predictor=True),
        tiff(DEEP, tile=(16, 16)),
        lzw_tiff(DEEP),
    ],
    ids=["png", "tiff", "big-endian", "deflated", "tiled", "lzw"],
)
def test_16_bit_grey_is_windowed_in_stored_values(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    facts, grey = inspect(tmp_path / "a", window="30000,20000")

    np.testing.assert_array_equal(grey, np.rint((DEEP.astype(float) - 20000).clip(0, 20000) * 255 / 20000))
    assert facts.window == "30000,20000"


def test_signed_tiffs_are_windowed_in_their_signed_values() -> None:
    units = (DEEP.astype(int) - 32768).astype(np.int16)

    grey = decode(tiff(units), "a", "-600,1500")

    np.testing.assert_array_equal(grey, np.rint((units.astype(float) + 1350).clip(0, 1500) * 255 / 1500))


@pytest.mark.parametrize("content", [sixteen_bit_png(DEEP), tiff(DEEP)], ids=["png", "tiff"])
def test_16_bit_values_of_no_known_unit_take_no_window_of_hounsfield_units(content: bytes) -> None:
    with pytest.raises(DataError, match=r"of no known unit, and lung is a window of Hounsfield units"):
        decode(content, "a", "lung")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (sixteen_bit_png(np.dstack([DEEP] * 3)), "16 bits a channel of colour or transparency"),
        (sixteen_bit_png(np.dstack([DEEP] * 4)), "16 bits a channel of colour or transparency"),
        (tiff(np.dstack([DEEP] * 3), photometric="rgb"), "16 bits a channel of colour or transparency"),
        (tiff(DEEP, photometric="miniswhite"), "zero is white"),
        (tiff(DEEP.astype(np.float32)), "floating-point values are not read"),
        (tiff(DEEP.astype(np.uint32)), "32-bit values are not read"),
        (tiff(DEEP.astype(np.float64)), "damaged TIFF"),
        (tiff(GREY.astype(np.int8)), "signed 8-bit values are not read"),
        (tiff(np.stack([DEEP] * 3)), "a TIFF of 3 pages"),
        (tiff(np.stack([GREY] * 2)), "a TIFF of 2 pages"),
        (encoded(Image.fromarray(COLOUR).convert("LAB"), "TIFF"), "mode LAB is not read"),
    ],
)
def test_other_deep_or_odd_files_are_refused_by_name(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        decode(content, "a", "30000,20000")


def test_8_bit_tiffs_are_read_as_other_8_bit_images_and_no_window_changes_them() -> None:
    for content in (tiff(GREY), tiff(GREY, compression="deflate"), lzw_tiff(GREY)):
        np.testing.assert_array_equal(decode(content, "a"), GREY)
        np.testing.assert_array_equal(decode(content, "a", "lung"), GREY)
    assert_near(decode(tiff(COLOUR, photometric="rgb"), "a"), luma(COLOUR))
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(GREY)), "a", "10,20"), GREY)


def test_a_dicom_file_that_begins_like_a_tiff_is_dicom() -> None:
    content = bundled("CT_small.dcm")
    assert content.startswith(b"II*")

    assert decode(content, "a", "lung").shape == (128, 128)


def test_what_is_no_window_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="LEVEL,WIDTH"):
        decode(encoded(Image.fromarray(GREY)), "a", "wide")


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP"])
def test_other_formats_are_refused_whatever_their_suffix(kind: str) -> None:
    with pytest.raises(DataError, match="not a PNG, JPEG, TIFF or DICOM image"):
        decode(encoded(Image.fromarray(GREY), kind), "a.png")


def test_animations_are_refused() -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]

    with pytest.raises(DataError, match="an animation of 2 frames"):
        decode(encoded(frames[0], save_all=True, append_images=frames[1:]), "a")


def test_too_many_pixels_are_refused_from_the_header_alone() -> None:
    content = bytearray(encoded(Image.fromarray(GREY)))
    content[16:24] = struct.pack(">II", 9747, 9747)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))

    # The pixels that follow are far too few: had they been decoded, the file would be called damaged.
    with pytest.raises(DataError, match="9747x9747 is 95 megapixels; at most 40"):
        decode(bytes(content), "a")


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)

    with pytest.raises(DataError, match="200,000,001 bytes; at most 200,000,000"):
        inspect(file)


def test_missing_empty_and_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()

    with pytest.raises(DataError, match=r"gone\.png: no such file"):
        inspect(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"empty\.png: empty file"):
        inspect(tmp_path / "empty.png")
    os.mkfifo(tmp_path / "pipe.png")  # which nobody writes to: reading it would wait for ever
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        inspect(tmp_path)
    for no_file in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(DataError, match="not a regular file"):
            inspect(no_file)


@pytest.mark.parametrize(
    "content",
    [
        encoded(Image.fromarray(COLOUR)),
        encoded(Image.fromarray(COLOUR), "JPEG"),
        encoded(Image.fromarray(COLOUR), "JPEG", progressive=True),
        tiff(DEEP),
        tiff(DEEP, compression="deflate"),
        lzw_tiff(GREY),
    ],
    ids=["png", "jpeg", "progressive jpeg", "tiff", "deflated tiff", "lzw tiff"],
)
def test_a_truncated_file_is_an_error_wherever_it_ends(content: bytes) -> None:
    whole = decode(content, "a", "30000,60000")
    lost = 0
    for length in range(1, len(content)):
        try:
            read = decode(content[:length], "a", "30000,60000")
        except DataError:
            lost += 1
        else:  # only what comes after the last pixel is missing
            np.testing.assert_array_equal(read, whole)
    assert lost >= len(content) - 5


def test_a_flipped_bit_in_a_png_is_noticed() -> None:
    content = encoded(Image.fromarray(GREY))
    for place in range(0, len(content) - 4, 7):
        with pytest.raises(DataError):
            decode(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :], "a")


def test_damage_is_never_anything_but_a_data_error() -> None:
    image = Image.fromarray(COLOUR).quantize(16)
    originals = [encoded(image, transparency=2), encoded(Image.fromarray(COLOUR), "JPEG"), tiff(DEEP)]
    dice = random.Random(3)
    refused = 0
    for _ in range(600):
        content = bytearray(dice.choice(originals))
        for _ in range(dice.choice([1, 3, 20])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            decode(_with_sound_checksums(content), "a", "30000,60000")
        except DataError:
            refused += 1
    assert refused > 100


def _with_sound_checksums(content: bytearray) -> bytes:
    """A PNG's chunks with CRCs that hold, so that damage reaches the decoders behind them."""
    place = 8
    while content.startswith(b"\x89PNG") and place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            break
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[place + 4 : end]))
        place = end + 4
    return bytes(content)


def test_the_facts_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(np.dstack([COLOUR, ALPHA])).save(file)

    facts, grey = inspect(file)

    assert (facts.width, facts.height, facts.mode) == (31, 23, "RGBA")
    assert facts.bytes == file.stat().st_size
    assert facts.sha256 == sha256_file(file)
    np.testing.assert_array_equal(grey, decode(file.read_bytes(), "a"))
    assert (facts.mean, facts.std) == (grey.mean(), grey.std())
