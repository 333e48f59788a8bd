"""What every format is read into, and what is asked of all of them."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError

MAX_PIXELS = 40_000_000
"""The largest width × height that is decoded; a CT slice has a quarter of a million."""

MARK = "synthetic CT phantom, ctexp"
"""Stands in every file that `ctexp.data.phantom` drew (PNG text `Description`, JPEG comment)."""

WINDOW_HINT = "say which values matter: --window lung, --window mediastinum (DICOM) or --window=LEVEL,WIDTH"
"""The next action where a file needs a window, or another one."""


@dataclass(frozen=True)
class Picture:
    """One decoded image.

    Attributes:
        grey: grey levels 0..255, shape (height, width).
        mode: the file's, as `ctexp.data.catalog.ImageRow` explains it.
        window: the window that made the grey levels, `LEVEL,WIDTH`; empty where they stood in the file.
        unit: what a windowed file's values measure, for example `Hounsfield units`; else empty.
        tags: what the file says of the patient and the scan, by the names of the catalog.
        synthetic: whether the file bears `MARK`.
    """

    grey: NDArray[np.uint8]
    mode: str
    window: str = ""
    unit: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False


def check_size(width: int, height: int, name: str) -> None:
    """Refuse what is too large, before memory is spent on it.

    Raises:
        DataError: it has more than `MAX_PIXELS` pixels.
    """
    pixels = width * height
    if pixels > MAX_PIXELS:
        raise DataError(
            f"{name}: {width}x{height} is {pixels / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} are decoded"
        )


def silence(module: str) -> None:
    """Keep a reader's warnings of odd but readable files off the screen; `module` begins its modules' names.

    `warnings.catch_warnings` is not safe in threads, so the filter stays once it is set.
    """
    warnings.filterwarnings("ignore", module=module)
