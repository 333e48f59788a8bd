"""The fifty columns: five families, in the order of tables and lists."""

import time
from collections.abc import Callable
from dataclasses import astuple, fields
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.data.radiomics import glcm, intensity, region, shape, wavelet
from ctexp.data.radiomics.body import Body, find_body

DEFINITIONS = 1
"""The version of what the columns mean. It grows when any value of any image changes, and everything computed
by an older one is computed again; a test holds the values."""

LIBRARIES = ("numpy", "pillow", "pydicom", "PyWavelets", "scikit-image", "scipy")
"""Whose versions may change a value in its last digits, or a decoded picture by a grey level."""

_KINDS: dict[str, tuple[type[Any], Callable[[Body], Any]]] = {
    "intensity": (intensity.Intensity, intensity.measure),
    "glcm": (glcm.Glcm, glcm.measure),
    "shape": (shape.Shape, shape.measure),
    "region": (region.Region, region.measure),
    "wavelet": (wavelet.Wavelet, wavelet.measure),
}

FAMILIES = {
    name: tuple(f"{name}_{field.name}" for field in fields(kind)) for name, (kind, _) in _KINDS.items()
}
"""The columns of each family."""

COLUMNS = tuple(column for columns in FAMILIES.values() for column in columns)


def made_by() -> dict[str, str]:
    """What a value depends on besides the image: the definitions' version and the libraries'."""
    return {"definitions": str(DEFINITIONS)} | {library: version(library) for library in LIBRARIES}


def measure(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float64], dict[str, float]]:
    """All columns of one picture.

    Args:
        grey: grey levels 0..255, shape (height, width), at least one pixel.

    Returns:
        The values in the order of `COLUMNS`, shape (50,), every one finite; and the seconds spent on finding
        the `body` and on each family.
    """
    moments = [time.perf_counter()]
    body = find_body(grey)
    moments.append(time.perf_counter())
    values: list[float] = []
    for _, measure_kind in _KINDS.values():
        values += astuple(measure_kind(body))
        moments.append(time.perf_counter())
    seconds = dict(zip(("body", *FAMILIES), np.diff(moments).tolist(), strict=True))
    return np.array(values, np.float64), seconds
