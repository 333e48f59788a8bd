"""Windows: which stored values become black, which white, and every grey between them.

A window of level L and width W takes L - W/2 to 0 and L + W/2 to 255, what lies between linearly, what lies
beyond to the nearer end, and rounds to the nearest grey level, halves to the even one. DICOM calls this
function LINEAR_EXACT (PS3.3, C.11.2.1.3.2).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean


@dataclass(frozen=True)
class Window:
    """Level and width, in the unit of the values they are meant for.

    Attributes:
        level: the value in the middle.
        width: from black to white.
        name: what it was called; a window with a name is one of Hounsfield units and fits nothing else.
    """

    level: float
    width: float
    name: str = ""

    def __str__(self) -> str:
        """`LEVEL,WIDTH`, which `parse` reads back."""
        return f"{_plain(self.level)},{_plain(self.width)}"

    def apply(self, values: ArrayLike) -> NDArray[np.uint8]:
        """Grey levels of `values`, in their shape."""
        shifted = np.asarray(values, np.float64) - (self.level - self.width / 2)
        return np.rint(np.clip(shifted * 255 / self.width, 0, 255)).astype(np.uint8)


NAMED = {
    "lung": Window(-600.0, 1500.0, "lung"),
    "mediastinum": Window(40.0, 400.0, "mediastinum"),
}
"""Of Hounsfield units; OHIF's CT presets "Lung" and "Soft tissue" (`defaultWindowLevelPresets`)."""


def parse(text: str) -> Window:
    """The window that a name or `LEVEL,WIDTH` stands for.

    Raises:
        UsageError: it is neither, or the width is not positive.
    """
    named = NAMED.get(text.strip().casefold())
    if named:
        return named
    numbers = [_number(part) for part in text.split(",")]
    if len(numbers) != 2 or None in numbers:
        raise UsageError(
            f"--window: {text!r} is neither a name nor LEVEL,WIDTH",
            did_you_mean(text, NAMED) or "for example --window=-600,1500",
        )
    level, width = (number for number in numbers if number is not None)
    if width <= 0:
        raise UsageError(f"--window: the width {_plain(width)} is not positive", "it is LEVEL,WIDTH")
    return Window(level, width)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
