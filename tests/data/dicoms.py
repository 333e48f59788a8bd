"""DICOM files for tests, written by pydicom: one CT slice of given stored values."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydicom import Dataset, FileMetaDataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

STORED = np.array([[-2000, 0, 24, 424], [1024, 1064, 1224, 2048], [424, 425, 426, 3000]], np.int16)
"""Stored values of a slice whose Hounsfield units are 1024 less; the first is padding."""


def slice_(stored: ArrayLike = STORED, **tags: Any) -> Dataset:
    """A CT slice of a scanner that calls -2000 padding; a tag of None is left out."""
    values = np.asarray(stored)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    plain = {
        "Modality": "CT",
        "PatientID": "P1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "Rows": values.shape[0],
        "Columns": values.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": int(values.dtype.kind == "i"),
        "BitsAllocated": 8 * values.dtype.itemsize,
        "BitsStored": 8 * values.dtype.itemsize,
        "HighBit": 8 * values.dtype.itemsize - 1,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "PixelPaddingValue": -2000 if values.dtype.kind == "i" else None,
        "PixelData": values.tobytes(),
    }
    for keyword, value in (plain | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def encoded(dataset: Dataset) -> bytes:
    """A data set as a file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def bundled(name: str) -> bytes:
    """One of the real files that come with pydicom."""
    file = get_testdata_file(name, download=False)
    assert isinstance(file, str), f"pydicom does not bundle {name}"
    return Path(file).read_bytes()


def bundled_dataset(name: str) -> Dataset:
    """The same, read."""
    return dcmread(BytesIO(bundled(name)))
