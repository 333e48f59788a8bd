"""Do the images of val and test come from where the training images come from?

A domain classifier tries to tell them apart by simple statistics of the picture. Where it can, a figure on
that split measures the difference of the sources too, and one on images of a third source may be anything.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import SPLITS
from ctexp.data.audit.findings import Comparison, Telling
from ctexp.data.audit.look import Seen
from ctexp.data.audit.separation import FEWEST, auroc, divide, out_of_fold, thin, weighted_auroc
from ctexp.data.audit.statistics import STATISTICS

Among = Literal["all", "cancers", "normals"]

_TOLD = 3


def shift(seen: Sequence[Seen]) -> tuple[Comparison, ...]:
    """Compare val and test with train, among all images and among cancers and normals alone.

    A split that is empty is not compared.

    Excluded images are passed over.
    """
    used = [one for one in seen if not one.row.excluded]
    wanted: dict[Among, list[Seen]] = {
        "all": used,
        "cancers": [one for one in used if one.row.class_name != "normal"],
        "normals": [one for one in used if one.row.class_name == "normal"],
    }
    return tuple(
        _compare(split, among, [one for one in images if one.row.split in ("train", split)])
        for split in SPLITS
        if split != "train" and any(one.row.split == split for one in used)
        for among, images in wanted.items()
    )


def _compare(split: str, among: Among, images: Sequence[Seen]) -> Comparison:
    kept = thin([one.row.split for one in images], [one.row.sha256 for one in images])
    used = [images[place] for place in kept]
    labels = np.array([one.row.split == split for one in used], np.int64)
    other = int(labels.sum())
    train = len(used) - other
    independent = min(
        len({one.row.group for one in used if one.row.split == side}) for side in ("train", split)
    )
    if independent < FEWEST:
        reason = f"it takes {FEWEST} independent images of each side; there are {independent}"
        return Comparison(split, among, train, other, reason, None, ())
    groups = np.unique([one.row.group for one in used], return_inverse=True)[1]
    table = np.stack([one.statistics for one in used])
    area = auroc(out_of_fold(table, divide(labels, groups))[:, 1], labels, groups)
    return Comparison(split, among, train, other, "", area, _telling(table, labels == 1))


def _telling(table: NDArray[np.float64], other: NDArray[np.bool_]) -> tuple[Telling, ...]:
    """The statistics that alone tell most."""
    once = np.ones((1, len(table)))
    found = [
        Telling(
            statistic=name,
            auroc=round(float(weighted_auroc(column, other, once)[0]), 4),
            train=round(float(np.median(column[~other])), 2),
            other=round(float(np.median(column[other])), 2),
        )
        for name, column in zip(STATISTICS, table.T, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.auroc - 0.5))[:_TOLD])
