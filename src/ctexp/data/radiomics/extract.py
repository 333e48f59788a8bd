"""Measuring the images of a data set: each content once, on all cores, what is done already not again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctexp.data.catalog import ImageRow
from ctexp.data.images import original
from ctexp.data.parallel import each_in_processes
from ctexp.data.radiomics.columns import measure
from ctexp.data.radiomics.store import FeatureStore, Key, key_of

_WORTH_A_PROCESS = 48
"""Images measured in about the second that a process takes to start."""


@dataclass(frozen=True)
class Extraction:
    """What came out.

    Attributes:
        values: shape (rows, 50), in the order of the rows and of `COLUMNS`.
        measured: how many images were measured now; the others were known, or are copies.
        milliseconds: the median a measured image took for finding the body and for each family; nothing where
            none was measured.
    """

    values: NDArray[np.float64]
    measured: int
    milliseconds: Mapping[str, float]


def extract(
    raw: Path,
    rows: Sequence[ImageRow],
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """The features of some images.

    What is measured is kept in `folder`, however this ends.

    Raises:
        DataError: files are missing, damaged or changed since the import; all are listed.
        StorageError: the disk is full or the folder cannot be written.
    """
    seconds: list[Mapping[str, float]] = []
    with FeatureStore(folder) as store:
        known = store.get([key_of(row) for row in rows])
        missing = {key_of(row): row for row in rows if key_of(row) not in known}

        def keep(result: tuple[Key, NDArray[np.float64], Mapping[str, float]]) -> None:
            key, features, spent = result
            known[key] = features
            store.put(key, features)
            seconds.append(spent)
            if progress:
                progress(len(seconds), len(missing))

        each_in_processes(
            partial(_measure, raw),
            list(missing.values()),
            keep,
            worth_a_process=_WORTH_A_PROCESS,
            hint="put the original files back, or import the set without them under another name",
        )
    milliseconds = (
        {part: float(np.median([spent[part] for spent in seconds])) * 1e3 for part in seconds[0]}
        if seconds
        else {}
    )
    return Extraction(np.stack([known[key_of(row)] for row in rows]), len(seconds), milliseconds)


def _measure(raw: Path, row: ImageRow) -> tuple[Key, NDArray[np.float64], Mapping[str, float]]:
    return key_of(row), *measure(original(raw, row))
