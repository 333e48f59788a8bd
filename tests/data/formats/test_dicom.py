import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import MPEG2MPML

from ctexp.core.errors import DataError
from ctexp.data.images import decode, picture_of
from tests.data.dicoms import STORED, bundled, bundled_dataset, encoded, slice_


def windowed(units: NDArray[Any], level: int, width: int) -> list[list[int]]:
    """The window in rational numbers, value by value."""

    def grey(value: float) -> int:
        low = Fraction(level) - Fraction(width, 2)
        return round(min(max((Fraction(value) - low) * 255 / width, Fraction(0)), Fraction(255)))

    return [[grey(float(value)) for value in line] for line in units]


def refusal(dataset: Dataset, window: str = "40,400") -> str:
    with pytest.raises(DataError) as failure:
        decode(encoded(dataset), "a.dcm", window)
    (problem,) = failure.value.problems
    assert problem.startswith("a.dcm: ")
    return problem.removeprefix("a.dcm: ")


@pytest.mark.parametrize(("window", "level", "width"), [("lung", -600, 1500), ("mediastinum", 40, 400)])
def test_a_real_ct_agrees_with_a_computation_of_its_own(window: str, level: int, width: int) -> None:
    dataset = bundled_dataset("CT_small.dcm")
    # Uncompressed, little-endian, 16 bits, signed: read without pydicom's decoders.
    stored = np.frombuffer(dataset.PixelData, "<i2").reshape(dataset.Rows, dataset.Columns)

    picture = picture_of(bundled("CT_small.dcm"), "a", window)

    assert picture.grey.tolist() == windowed(stored.astype(int) - 1024, level, width)
    assert 20 < picture.grey.std() < 120
    assert (picture.window, picture.unit, picture.mode) == (
        f"{level},{width}",
        "Hounsfield units",
        "MONOCHROME2",
    )


@pytest.mark.parametrize("name", ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"])
def test_real_compressed_cts_show_air_and_tissue(name: str) -> None:
    grey = decode(bundled(name), name, "lung")

    assert grey.shape == (512, 512)
    assert (grey == 0).mean() > 0.05
    assert (grey > 200).mean() > 0.05


def test_byte_order_and_lossless_compression_change_nothing() -> None:
    plain = decode(bundled("MR_small.dcm"), "a", "600,1600")

    for name in (
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
    ):
        np.testing.assert_array_equal(decode(bundled(name), name, "600,1600"), plain)


def test_rescaling_may_be_fractional() -> None:
    stored = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    dataset = slice_(stored, RescaleSlope="0.684", RescaleIntercept="-1000.5")

    grey = decode(encoded(dataset), "a", "40,400")

    assert grey.tolist() == windowed(stored * 0.684 - 1000.5, 40, 400)


def test_padding_is_black_whatever_the_window_makes_of_it() -> None:
    assert decode(encoded(slice_()), "a", "-4000,400")[0].tolist() == [0, 255, 255, 255]
    # Some scanners write the bits of -2000 as an unsigned number; a range covers what lies between.
    unsigned = slice_(PixelPaddingValue=None)
    unsigned.add_new(0x00280120, "US", 65536 - 2000)
    assert decode(encoded(unsigned), "a", "-4000,400")[0, 0] == 0
    ranged = slice_(PixelPaddingValue=0, PixelPaddingRangeLimit=424)
    assert (decode(encoded(ranged), "a", "-4000,400") == 0).tolist() == (
        (STORED >= 0) & (STORED <= 424)
    ).tolist()
    to_zero = slice_(PixelPaddingValue=-2000, PixelPaddingRangeLimit=0)
    assert (decode(encoded(to_zero), "a", "-4000,400") == 0).tolist() == (STORED <= 0).tolist()


def test_monochrome1_is_inverted_and_its_padding_black() -> None:
    plain = decode(encoded(slice_()), "a", "lung").astype(int)
    inverted = decode(encoded(slice_(PhotometricInterpretation="MONOCHROME1")), "a", "lung").astype(int)

    assert inverted[0, 0] == plain[0, 0] == 0
    assert (inverted + plain).ravel()[1:].tolist() == [255] * 11


def test_unused_bits_do_not_count() -> None:
    stored = np.array([[0x0FFF, 0x0001], [0x0800, 0x07FF]], np.uint16)
    noisy = slice_(stored | 0xF000, BitsStored=12, HighBit=11)

    assert (
        decode(encoded(noisy), "a", "40,4000").tolist()
        == decode(encoded(slice_(stored)), "a", "40,4000").tolist()
    )


@pytest.mark.parametrize(
    ("tags", "window", "says"),
    [
        ({}, "", "holds Hounsfield units, and no window is given"),
        ({"RescaleSlope": None}, "40,400", "a CT without RescaleSlope and RescaleIntercept"),
        ({"RescaleIntercept": ""}, "lung", "a CT without RescaleSlope and RescaleIntercept"),
        ({"RescaleSlope": 0}, "lung", "make no values"),
        (
            {"Modality": "MR", "RescaleSlope": None},
            "lung",
            "holds MR values, and lung is a window of Hounsfield units",
        ),
        ({"Modality": None}, "lung", "holds unknown values"),
        ({"RescaleType": "MGML"}, "lung", "holds CT values in MGML"),
        ({"NumberOfFrames": 3}, "lung", "a multi-frame DICOM image of 3 frames"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "lung", "of kind RGB"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "lung", "of kind PALETTE COLOR"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "lung", "a localizer"),
        ({"ModalityLUTSequence": [Dataset()]}, "lung", "a lookup table"),
        ({"BitsAllocated": 32}, "lung", "32 bits a pixel"),
        ({"PixelData": None}, "lung", "without pixel data"),
        ({"PixelData": STORED.tobytes()[:-2]}, "lung", "less than expected"),
        ({"Rows": 9747, "Columns": 9747}, "lung", "9747x9747 is 95 megapixels; at most 40"),
        ({"Rows": 0}, "lung", "damaged"),
        ({"Columns": None}, "lung", "damaged"),
    ],
)
def test_what_is_ambiguous_or_not_a_slice_is_refused_by_name(
    tags: dict[str, Any], window: str, says: str
) -> None:
    assert says in refusal(slice_(**tags), window)


def test_other_modalities_take_a_window_in_their_own_values() -> None:
    picture = picture_of(bundled("MR_small.dcm"), "a", "600,1600")

    assert picture.unit == "MR values"
    assert picture.grey.std() > 20


def test_compressions_are_named_where_they_are_not_read() -> None:
    assert "encoded as JPEG-LS Lossless Image Compression, which is not read" in failure_of(
        bundled("MR_small_jpeg_ls_lossless.dcm")
    )
    assert "Deflated Explicit VR Little Endian, which is not read" in failure_of(bundled("image_dfl.dcm"))
    assert "JPEG Extended (Process 2 and 4)" in failure_of(bundled("JPEG-lossy.dcm"))
    video = slice_(PixelData=None)
    video.file_meta.TransferSyntaxUID = MPEG2MPML
    assert "MPEG2 Main Profile / Main Level, which is not read" in refusal(video)


def failure_of(content: bytes) -> str:
    with pytest.raises(DataError) as failure:
        decode(content, "a", "40,400")
    return failure.value.problems[0]


def test_no_transfer_syntax_and_no_image_are_refused() -> None:
    assert "names no transfer syntax" in failure_of(bundled("meta_missing_tsyntax.dcm"))
    for name in ("rtplan.dcm", "reportsi.dcm", "dicomdirtests/DICOMDIR"):
        assert "without pixel data" in failure_of(bundled(name))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"])
def test_a_truncated_file_is_an_error_wherever_it_ends(name: str) -> None:
    content = bundled(name)
    whole = decode(content, "a", "40,400")
    lost = 0
    lengths = range(1, len(content), 97)
    for length in lengths:
        try:
            read = decode(content[:length], "a", "40,400")
        except DataError:
            lost += 1
        else:  # only what comes after the last pixel is missing
            np.testing.assert_array_equal(read, whole)
    assert lost >= len(lengths) - 3


def test_damage_is_never_anything_but_a_data_error() -> None:
    names = ("CT_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_bigendian.dcm")
    originals = [bundled(name) for name in names]
    dice = random.Random(3)
    refused = 0
    for _ in range(500):
        content = bytearray(dice.choice(originals))
        for _ in range(dice.choice([1, 3, 20])):
            content[dice.randrange(132, 3000)] = dice.randrange(256)
        try:
            decode(bytes(content), "a", "40,400")
        except DataError:
            refused += 1
    assert refused > 100


def test_odd_values_neither_warn_nor_hurt() -> None:
    dataset = slice_(PatientAge="063Y", SeriesDate="20040119", AcquisitionDate="20040120")
    dataset.add_new(0x00100020, "UT", "P" * 90)
    dataset.PixelData += bytes(1000)
    content = encoded(dataset).replace(b"063Y", b"63XX").replace(b"20040120", b"20041320")

    picture = picture_of(content, "a", "lung")

    assert picture.tags["acquired"] == "2004-01-19"
    assert picture.tags["patient"] == "P" * 90
    assert "age" not in picture.tags
    np.testing.assert_array_equal(picture.grey, decode(encoded(slice_()), "a", "lung"))


def test_the_tags_of_a_real_file() -> None:
    tags = dict(picture_of(bundled("CT_small.dcm"), "a", "lung").tags)

    assert tags.pop("study") == "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
    assert tags.pop("series") == "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
    assert tags == {
        "patient": "1CT1",
        "acquired": "1997-04-30",
        "age": "0",
        "sex": "O",
        "scanner": "GE MEDICAL SYSTEMS RHAPSODE",
    }


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ({"PatientAge": "063Y"}, {"age": "63"}),
        ({"PatientAge": "018M"}, {"age": "1"}),
        ({"PatientAge": "400D"}, {"age": "1"}),
        ({"PatientAge": "200W"}, {"age": "3"}),
        ({"PatientSex": "", "PatientID": None}, {"patient": None}),
        ({"StudyDate": "20210304"}, {"acquired": "2021-03-04"}),
        ({"StudyDate": "20210304", "ContentDate": "20210305"}, {"acquired": "2021-03-05"}),
        ({"AcquisitionDate": "", "SeriesDate": "20210306"}, {"acquired": "2021-03-06"}),
        ({"Manufacturer": " SIEMENS  ", "ManufacturerModelName": "Force"}, {"scanner": "SIEMENS Force"}),
        ({"ManufacturerModelName": "Supria"}, {"scanner": "Supria"}),
    ],
)
def test_tags_become_what_is_known(tags: dict[str, Any], known: dict[str, str | None]) -> None:
    expected = {"patient": "P1", "study": "1.2.3", "series": "1.2.3.4"} | known

    assert picture_of(encoded(slice_(**tags)), "a", "lung").tags == {k: v for k, v in expected.items() if v}
