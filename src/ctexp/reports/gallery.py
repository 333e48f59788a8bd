"""The worst mistakes with their pictures, taken from the data set where it still holds the same images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.core.errors import CtexpError
from ctexp.core.files import sha256_bytes
from ctexp.core.page import jpeg
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.images import decode, read_content
from ctexp.reports.sheets import Sheet, View

BOX = (176, 132)
"""The box a thumbnail fits into, (width, height) in pixels."""

_QUALITY = 78
_IN_ALL = 160  # pictures of a page: two megabytes
_MOST = 12  # of one experiment


@dataclass(frozen=True)
class Mistake:
    """One image that got the wrong class.

    Attributes:
        sure: the probability of the class it got.
        right: the probability of its true class.
        picture: a data URI; empty where there is none.
        lacking: why there is no picture.
    """

    image_id: str
    truth: str
    called: str
    sure: float
    right: float
    missed_cancer: bool
    picture: str
    lacking: str


class DataSets:
    """What data sets of a project say and show of their images, read when first asked for."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._read: dict[str, tuple[Catalog | None, Mapping[str, ImageRow]]] = {}
        self._pictures: dict[tuple[str, str, str], tuple[str, str]] = {}

    def rows(self, dataset: str) -> Mapping[str, ImageRow]:
        """Image id -> its row; none where the data set is not here or damaged."""
        return self._catalog(dataset)[1]

    def picture(self, dataset: str, image_id: str, sha256: str) -> tuple[str, str]:
        """A data URI, or the reason why there is none."""
        key = dataset, image_id, sha256
        if key not in self._pictures:
            self._pictures[key] = self._picture(*key)
        return self._pictures[key]

    def _picture(self, dataset: str, image_id: str, sha256: str) -> tuple[str, str]:
        catalog, rows = self._catalog(dataset)
        if catalog is None:
            return "", "the data set is not here"
        if image_id not in rows:
            return "", "no longer in the data set"
        row = rows[image_id]
        try:
            content = read_content(catalog.raw / row.path, image_id)
            if sha256_bytes(content) != sha256:
                return "", "another image has this name now"
            return _thumbnail(content, image_id, row.window), ""
        except CtexpError:
            return "", "the file is gone or damaged"

    def _catalog(self, dataset: str) -> tuple[Catalog | None, Mapping[str, ImageRow]]:
        if dataset not in self._read:
            try:
                found = catalogs.load(self._data, dataset)
                self._read[dataset] = found, {row.image_id: row for row in found.rows}
            except CtexpError:
                self._read[dataset] = None, {}
        return self._read[dataset]


def _thumbnail(content: bytes, image_id: str, window: str) -> str:
    import cv2

    grey = decode(content, image_id, window)
    height, width = grey.shape
    factor = min(BOX[0] / width, BOX[1] / height, 1.0)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return jpeg(coded.tobytes())


def mistakes(sheet: Sheet, view: View, sets: DataSets, experiments: int) -> list[Mistake]:
    """The mistakes it was surest of, missed cancers first; fewer each where a page has many experiments."""
    probabilities, labels, called = view.cases.probabilities, view.cases.label, view.cases.called
    wrong = np.flatnonzero(view.cases.wrong)
    missed = (labels[wrong] != NORMAL) & (called[wrong] == NORMAL)
    sure = probabilities[wrong, called[wrong]]
    most = max(4, min(_MOST, _IN_ALL // max(1, experiments)))
    worst = wrong[np.lexsort((wrong, -sure, ~missed))][:most]
    dataset = sheet.manifest.dataset.name if sheet.manifest else ""
    found = []
    for row in worst:
        picture, lacking = sets.picture(dataset, view.cases.image_id[row], view.cases.sha256[row])
        truth, got = int(labels[row]), int(called[row])
        found.append(
            Mistake(
                view.cases.image_id[row],
                CLASSES[truth],
                CLASSES[got],
                float(probabilities[row, got]),
                float(probabilities[row, truth]),
                truth != NORMAL and got == NORMAL,
                picture,
                lacking,
            )
        )
    return found
