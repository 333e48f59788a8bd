"""DICOM through pydicom: one slice, in the unit of its modality, by a window.

The rules to grey:

    value        stored × RescaleSlope + RescaleIntercept (PS3.3, C.11.1.1.2): of a CT, Hounsfield units
    grey         by the window; MONOCHROME1, whose low values are bright, inverted
    padding      black: stored values from PixelPaddingValue to PixelPaddingRangeLimit
    refused      a CT without rescaling, localizers, several frames, colour, lookup tables, more than 16 bits,
                 a deflated data set (its size cannot be known beforehand), compressions that are not read

The window a file proposes (WindowCenter, WindowWidth) is not looked at, nor are overlays and orientation.
"""

import math
import re
import struct
import zlib
from io import BytesIO
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import data_element_generator
from pydicom.multival import MultiValue
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from ctexp.core.errors import DataError
from ctexp.data.dates import iso_date
from ctexp.data.formats.picture import WINDOW_HINT, Picture, check_size, silence
from ctexp.data.windows import Window

HOUNSFIELD = "Hounsfield units"
"""The unit of `ctexp.data.windows.NAMED`."""

_PREAMBLE = 132
_TRANSFER_SYNTAX = 0x00020010
_DATES = ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")

# What pydicom and the decoders behind it raise for damaged input.
_DAMAGED = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, RuntimeError),
    *(ArithmeticError, InvalidDicomError, BytesLengthException, struct.error, zlib.error),
)


def read(content: bytes, name: str, window: Window | None) -> Picture:
    """Decode a file.

    Args:
        content: the file's bytes.
        name: what messages call it.
        window: in the unit of the file's values.

    Raises:
        DataError: the bytes are damaged, too large or of a kind that is refused.
    """
    silence("pydicom")
    silence("PIL")
    encoding = ""
    try:
        syntax = _transfer_syntax(content)
        _refuse(name, _unread(syntax))
        encoding = f" encoded as {syntax.name}"
        dataset = dcmread(BytesIO(content))
        _refuse(name, _odd_kind(dataset))
        check_size(int(dataset.Columns), int(dataset.Rows), name)
        unit = _unit(dataset)
        if window is None:
            raise DataError(f"{name}: holds {unit}, and no window is given", WINDOW_HINT)
        if window.name and unit != HOUNSFIELD:
            raise DataError(
                f"{name}: holds {unit}, and {window.name} is a window of {HOUNSFIELD}", WINDOW_HINT
            )
        _refuse(name, _no_values(dataset))
        grey = _grey(dataset, window)
        return Picture(grey, _text(dataset, "PhotometricInterpretation"), str(window), unit, _tags(dataset))
    except _DAMAGED as error:
        why = shorten(str(error), 200, placeholder=" …")
        raise DataError(f"{name}: damaged or unsupported DICOM{encoding} ({why})") from error


def _refuse(name: str, objection: str) -> None:
    if objection:
        raise DataError(f"{name}: {objection}")


def _transfer_syntax(content: bytes) -> UID:
    """How the data set is encoded; read by itself, since pydicom would inflate a deflated one on the way."""
    file = BytesIO(content)
    file.seek(_PREAMBLE)
    header = data_element_generator(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    values = [element.value for element in header if element.tag == _TRANSFER_SYNTAX]
    return UID((values[-1] or b"").decode().rstrip("\0 ")) if values else UID("")


def _unread(syntax: UID) -> str:
    """Why data of a transfer syntax are not read; empty where they are."""
    if not syntax:
        return "names no transfer syntax"
    try:
        readable = syntax != DeflatedExplicitVRLittleEndian and get_decoder(syntax).is_available
    except NotImplementedError:
        readable = False
    return "" if readable else f"encoded as {syntax.name}, which is not read; save it uncompressed"


def _odd_kind(dataset: Dataset) -> str:
    """Why images of this kind are not read; empty where they are."""
    frames, samples = _text(dataset, "NumberOfFrames") or "1", _text(dataset, "SamplesPerPixel") or "1"
    colours, bits = _text(dataset, "PhotometricInterpretation"), _text(dataset, "BitsAllocated")
    if "PixelData" not in dataset:
        return "a DICOM file without pixel data"
    if frames not in {"0", "1"}:
        return f"a multi-frame DICOM image of {frames} frames; save each as an image"
    if samples != "1" or colours not in {"MONOCHROME1", "MONOCHROME2"}:
        return f"a DICOM image of kind {colours or 'unknown'}; save it as MONOCHROME2"
    if bits not in {"8", "16"}:
        return f"{bits or 'no number of'} bits a pixel; 8 and 16 are read"
    if "LOCALIZER" in _text(dataset, "ImageType"):
        return "a localizer, not a slice"
    if "ModalityLUTSequence" in dataset:
        return "its values go through a lookup table, which is not read"
    return ""


def _unit(dataset: Dataset) -> str:
    """What the rescaled values measure; of a CT that says nothing else, HU (PS3.3, C.8.2.1.1.2)."""
    modality = _text(dataset, "Modality")
    kind = _text(dataset, "RescaleType")
    if modality == "CT" and kind in {"", "HU", "US"}:  # US: unspecified
        return HOUNSFIELD
    return f"{modality or 'unknown'} values{f' in {kind}' if kind else ''}"


def _no_values(dataset: Dataset) -> str:
    """Why it is not clear what the stored values stand for; empty where it is."""
    if _text(dataset, "Modality") == "CT" and not _has_rescaling(dataset):
        return "a CT without RescaleSlope and RescaleIntercept: its Hounsfield units are unknown"
    if _has_rescaling(dataset):
        slope, intercept = _rescaling(dataset)
        if not (math.isfinite(slope) and math.isfinite(intercept) and slope):
            return f"RescaleSlope {slope} and RescaleIntercept {intercept} make no values"
    return ""


def _has_rescaling(dataset: Dataset) -> bool:
    return bool(_text(dataset, "RescaleSlope") and _text(dataset, "RescaleIntercept"))


def _rescaling(dataset: Dataset) -> tuple[float, float]:
    if not _has_rescaling(dataset):
        return 1.0, 0.0
    return float(dataset.RescaleSlope), float(dataset.RescaleIntercept)


def _grey(dataset: Dataset, window: Window) -> NDArray[np.uint8]:
    stored = pixel_array(dataset, index=0, allow_excess_frames=False)
    if stored.shape != (dataset.Rows, dataset.Columns):
        raise ValueError(f"pixels of shape {stored.shape}, not {dataset.Rows}x{dataset.Columns}")
    slope, intercept = _rescaling(dataset)
    grey = window.apply(stored * slope + intercept)
    if _text(dataset, "PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
    grey[_padding(dataset, stored)] = 0
    return grey


def _padding(dataset: Dataset, stored: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Where there is no image, shape (height, width)."""
    if not _text(dataset, "PixelPaddingValue"):
        return np.zeros(stored.shape, np.bool_)
    value = int(dataset.PixelPaddingValue)
    limit = int(_text(dataset, "PixelPaddingRangeLimit") or value)
    # Some scanners write the bits of a signed value as an unsigned one; the cast wraps it back.
    ends = np.array([value, limit]).astype(stored.dtype)
    return np.asarray((stored >= ends.min()) & (stored <= ends.max()))


def _tags(dataset: Dataset) -> dict[str, str]:
    """What is known of the patient and the scan; nothing for what is empty."""
    dates = (iso_date(_text(dataset, keyword).replace(".", "")) for keyword in _DATES)
    scanner = f"{_text(dataset, 'Manufacturer')} {_text(dataset, 'ManufacturerModelName')}"
    tags = {
        "patient": _text(dataset, "PatientID"),
        "study": _text(dataset, "StudyInstanceUID"),
        "series": _text(dataset, "SeriesInstanceUID"),
        "acquired": next((date for date in dates if date), ""),
        "age": _years(_text(dataset, "PatientAge")),
        "sex": _text(dataset, "PatientSex"),
        "scanner": scanner.strip(),
    }
    return {name: value for name, value in tags.items() if value}


def _years(age: str) -> str:
    """Whole years of an age string such as `063Y` or `018M`; empty where it is none."""
    match = _AGE.fullmatch(age)
    return str(int(int(match[1]) * _DAYS[match[2] or "Y"] / _DAYS["Y"])) if match else ""


def _text(dataset: Dataset, keyword: str) -> str:
    """A value as one line of text, several values with spaces between; empty where there is none."""
    value = dataset.get(keyword)
    values = value if isinstance(value, MultiValue) else [value]
    words = " ".join("" if one is None else str(one) for one in values)
    return " ".join(words.replace("\0", " ").split())
