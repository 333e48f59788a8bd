import random
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_file
from ctexp.data.images import MAX_BYTES, decode, inspect, read_grey

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
def test_16_bit_images_are_refused_by_name(channels: int) -> None:
    deep = RNG.integers(0, 65536, (23, 31, channels), dtype=np.uint16)
    content = cv2.imencode(".png", deep)[1].tobytes()

    with pytest.raises(DataError, match=r"^slice\.png: 16 bits a channel"):
        decode(content, "slice.png")


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP"])
def test_other_formats_are_refused_whatever_their_suffix(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encoded(Image.fromarray(GREY), kind))

    with pytest.raises(DataError, match="not a PNG or JPEG image"):
        read_grey(file)


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
        read_grey(file)


def test_missing_empty_and_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()

    with pytest.raises(DataError, match=r"gone\.png: no such file"):
        read_grey(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"empty\.png: empty file"):
        read_grey(tmp_path / "empty.png")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        read_grey(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        encoded(Image.fromarray(COLOUR)),
        encoded(Image.fromarray(COLOUR), "JPEG"),
        encoded(Image.fromarray(COLOUR), "JPEG", progressive=True),
    ],
    ids=["png", "jpeg", "progressive jpeg"],
)
def test_a_truncated_file_is_an_error_wherever_it_ends(content: bytes) -> None:
    whole = decode(content, "a")
    lost = 0
    for length in range(1, len(content)):
        try:
            read = decode(content[:length], "a")
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
    originals = [encoded(image, transparency=2), encoded(Image.fromarray(COLOUR), "JPEG")]
    dice = random.Random(3)
    refused = 0
    for _ in range(600):
        content = bytearray(dice.choice(originals))
        for _ in range(dice.choice([1, 3, 20])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            decode(_with_sound_checksums(content), "a")
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
    np.testing.assert_array_equal(grey, read_grey(file))
    assert (facts.mean, facts.std) == (grey.mean(), grey.std())
