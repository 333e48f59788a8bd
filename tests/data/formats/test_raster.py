"""Files whose number of bits Pillow's mode does not tell."""

import struct

import pytest

from ctexp.core.errors import DataError
from ctexp.data.images import decode, picture_of


def twelve_bit_tiff() -> bytes:
    """Two pixels, 256 and 4095, packed into three bytes; little-endian, since Pillow reads no other."""
    tags = {256: 2, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8 + 2 + 9 * 12 + 4, 277: 1, 278: 1, 279: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + bytes([0x10, 0x0F, 0xFF])


def test_12_bit_values_need_a_window() -> None:
    with pytest.raises(DataError, match="a: 12 bits a channel, of no known unit, and no window is given"):
        decode(twelve_bit_tiff(), "a")

    picture = picture_of(twelve_bit_tiff(), "a", "512,1024")

    assert picture.grey.tolist() == [[64, 255]]
    assert (picture.window, picture.unit) == ("512,1024", "stored values")
