"""One look at each file: is it the one imported, and all that the audit needs to know of its picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_file
from ctexp.data.audit.findings import Problem, ProblemKind
from ctexp.data.audit.statistics import measure
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.duplicates.signature import Signature, sign
from ctexp.data.images import inspect
from ctexp.data.parallel import each

THUMBNAIL = (132, 96)
"""The box a thumbnail fits into, (width, height) in pixels."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of an image that is as it was imported.

    Attributes:
        signature: to compare it with all others.
        statistics: `(17,)`, as `STATISTICS` names them.
        thumbnail: a small JPEG.
    """

    row: ImageRow
    signature: Signature
    statistics: NDArray[np.float64]
    thumbnail: bytes


def look(
    catalog: Catalog, progress: Callable[[int, int], None] | None = None
) -> tuple[list[Seen], list[Problem]]:
    """Read and decode every file of a data set once, on all cores.

    Returns:
        What was seen of the images that are as they were imported, and one problem for each of the others.
    """
    looked = each(partial(_look, catalog.raw), catalog.rows, progress)
    seen = [one for one in looked if isinstance(one, Seen)]
    return seen, [one for one in looked if isinstance(one, Problem)]


def _look(raw: Path, row: ImageRow) -> Seen | Problem:
    file = raw / row.path
    try:
        facts, grey = inspect(file, row.image_id, row.window)
    except DataError as error:
        reason = "; ".join(error.problems).removeprefix(f"{row.image_id}: ")
        return Problem(row.image_id, _kind(file, row), reason)
    if facts.sha256 != row.sha256:
        return Problem(row.image_id, "changed", "its content differs from what was imported")
    return Seen(row, sign(grey, facts.pixels), measure(grey), _thumbnail(grey))


def _kind(file: Path, row: ImageRow) -> ProblemKind:
    """Why a file cannot be decoded, as far as the catalog tells."""
    try:
        if file.stat().st_size == 0:
            return "empty"
        return "unreadable" if sha256_file(file) == row.sha256 else "changed"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"


def _thumbnail(grey: NDArray[np.uint8]) -> bytes:
    height, width = grey.shape
    factor = min(THUMBNAIL[0] / width, THUMBNAIL[1] / height, 1.0)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def thumbnails(seen: Sequence[Seen], wanted: set[str]) -> dict[str, bytes]:
    """Image id -> thumbnail, of the images wanted."""
    return {one.row.image_id: one.thumbnail for one in seen if one.row.image_id in wanted}
