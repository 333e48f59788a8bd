"""What is known of each image, as values that images can share.

The catalog tells how a file was saved, how large the picture is and which images are its look-alikes; `meta.`
columns tell what people know. Numbers become bands, and values too many to compare become `other`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from ctexp.data.catalog import ImageRow
from ctexp.evaluation.mistakes.cases import Cases, class_name

Values = tuple[str | None, ...]
"""One an image, in the order of the cases; None where nothing is known."""

CONFIDENCE, CLASS = "confidence", "class"

PEOPLE = (
    *("age", "sex", "gender", "ethnicity", "race"),
    *("scanner", "manufacturer", "site", "hospital", "institution", "centre", "center", "country"),
)
"""Columns that tell groups of people apart, or where and with what they were seen."""

_AGES = (0, 50, 60, 70)  # lung cancer is rare before 50; decades after that
_CONFIDENCES = (0.0, 0.5, 0.7, 0.9, 1.0)
_LARGE_GROUP = 10
_MOST_VALUES = 12
_OWN_MEANING = ("patient", "study", "acquired")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True)
class Attributes:
    """What is known.

    Attributes:
        columns: name -> value of each image.
        people: the names of those that `PEOPLE` holds.
        unknown: images that the catalog does not hold as they were judged.
    """

    columns: Mapping[str, Values]
    people: tuple[str, ...]
    unknown: int


def attributes(cases: Cases, rows: Sequence[ImageRow]) -> Attributes:
    """Look the images of the cases up.

    Args:
        cases: what was said of them.
        rows: the catalog's; none where it is gone. An image counts as known where id and content agree.
    """
    known = {(row.image_id, row.sha256): row for row in rows}
    found = [known.get(key) for key in zip(cases.image_id, cases.sha256, strict=True)]
    columns: dict[str, Values] = {
        CLASS: tuple(class_name(label) for label in cases.label),
        CONFIDENCE: tuple(_confidence(value) for value in cases.confidence),
    }
    if any(row is not None for row in found):
        columns |= _of_files(found, rows) | _of_people(found)
    return Attributes(
        columns,
        tuple(name for name in columns if name in PEOPLE),
        sum(row is None for row in found),
    )


def _of_files(found: Sequence[ImageRow | None], rows: Sequence[ImageRow]) -> dict[str, Values]:
    relatives = Counter(row.group for row in rows if not row.excluded)
    here = Counter(row.group for row in found if row is not None)
    # Where people are known a group is all of one patient's images, copies or not.
    related = "has relatives" if any("patient" in row.meta for row in rows) else "has copies"

    def value_of(row: ImageRow) -> dict[str, str | None]:
        return {
            "copies": related if relatives[row.group] > 1 else "stands alone",
            "format": PurePosixPath(row.path).suffix.lstrip(".").lower() or "none",
            "mode": row.mode,
            "official split": row.split,
            "source group": row.group[:12] if here[row.group] >= _LARGE_GROUP else "smaller groups",
        }

    columns: dict[str, Values] = {
        "size": _thirds([None if row is None else float(max(row.width, row.height)) for row in found], "px")
    }
    told = [None if row is None else value_of(row) for row in found]
    for name in ("copies", "format", "mode", "official split", "source group"):
        columns[name] = tuple(None if one is None else one[name] for one in told)
    return columns


def _of_people(found: Sequence[ImageRow | None]) -> dict[str, Values]:
    names = sorted({name for row in found if row is not None for name in row.meta})
    columns: dict[str, Values] = {}
    for name in names:
        texts = [None if row is None else row.meta.get(name) for row in found]
        if name == "acquired":
            columns["year"] = _most_frequent([text[:4] if text else None for text in texts])
        elif name not in _OWN_MEANING:
            columns[name] = _banded(name, texts)
    return columns


def _banded(name: str, texts: Sequence[str | None]) -> Values:
    """Numbers as bands, all else as it is."""
    numbers = [_number(text) for text in texts]
    known = [text for text in texts if text]
    as_numbers = [number for number in numbers if number is not None]
    if name == "age" and as_numbers:
        return tuple(None if number is None else _age(number) for number in numbers)
    if len(as_numbers) == len(known) and len(set(as_numbers)) > _MOST_VALUES:
        return _thirds(numbers, "")
    return _most_frequent(texts)


def _number(text: str | None) -> float | None:
    """A number, also one like DICOM's age `063Y`; None for anything else."""
    plain = (text or "").strip().removesuffix("Y")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _age(years: float) -> str:
    place = max(place for place, edge in enumerate(_AGES) if edge <= max(years, 0))
    return (
        f"{_AGES[place]} to {_AGES[place + 1] - 1}" if place + 1 < len(_AGES) else f"{_AGES[place]} and over"
    )


def _confidence(value: float) -> str:
    place = max(place for place, edge in enumerate(_CONFIDENCES[:-1]) if edge <= value)
    return f"{_CONFIDENCES[place]:.1f} to {_CONFIDENCES[place + 1]:.1f}"


def _thirds(numbers: Sequence[float | None], unit: str) -> Values:
    """Three bands with about as many images each, named by what is in them; fewer where numbers repeat."""
    known = np.array([number for number in numbers if number is not None])
    if not len(known):
        return tuple(None for _ in numbers)
    edges = np.unique(np.quantile(known, [1 / 3, 2 / 3], method="lower"))
    bands = np.searchsorted(edges, known, side="left")
    names = {}
    for band in np.unique(bands):
        inside = known[bands == band]
        low, high = f"{inside.min():g}", f"{inside.max():g}"
        names[int(band)] = " ".join(filter(None, (low if low == high else f"{low} to {high}", unit)))
    return tuple(
        None if number is None else names[int(np.searchsorted(edges, number, side="left"))]
        for number in numbers
    )


def in_order(value: str) -> tuple[float, str]:
    """What values are sorted by: the number they begin with, then as text."""
    leading = _NUMBER.match(value)
    return (float(leading[0]) if leading else float("inf"), value)


def _most_frequent(texts: Sequence[str | None]) -> Values:
    counts = Counter(text for text in texts if text)
    if len(counts) <= _MOST_VALUES:
        return tuple(text or None for text in texts)
    kept = {text for text, _ in counts.most_common(_MOST_VALUES - 1)}
    return tuple((text if text in kept else "other") if text else None for text in texts)
