"""Which columns tell the four classes apart, by each alone, on training images only.

The test is Kruskal and Wallis's (Use of ranks in one-criterion variance analysis, JASA 47 (1952) 583-621), by
scipy: it asks nothing of a column's distribution, and many are far from normal. One image of each group is
used, since copies of an image are not independent of it; groups whose images stand in several classes are
left out. The p values are corrected for fifty tests after Benjamini and Hochberg (J. R. Stat. Soc. B 57
(1995) 289-300). Since among many images any difference is significant, a column must also explain something:
its effect size ε² = H / (n - 1), 0..1, is the share of the ranks' variance that lies between the classes
(Tomczak and Tomczak, The need to report effect size estimates revisited, Trends in Sport Sciences 21 (2014)
19-25).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, kruskal

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics import table
from ctexp.data.radiomics.columns import COLUMNS
from ctexp.data.radiomics.lists import Ranked
from ctexp.data.selection import Selection

METHOD = "Kruskal-Wallis test, one image of each group"
CORRECTION = "Benjamini-Hochberg"

MAX_CORRECTED_P = 0.05
MIN_EFFECT = 0.06
"""A medium effect, by the usual reading of shares of variance (Cohen 1988: 0.01, 0.06, 0.14)."""


@dataclass(frozen=True)
class ColumnRank:
    """How well a column alone tells the classes apart.

    Attributes:
        column: its name.
        h: Kruskal and Wallis's statistic, corrected for ties; 0 for a column of equal values.
        p: of the test.
        corrected_p: for fifty tests.
        effect: ε².
    """

    column: str
    h: float
    p: float
    corrected_p: float
    effect: float

    @property
    def is_top(self) -> bool:
        """Whether it belongs to `top_features`; all others are `bottom_features`."""
        return self.corrected_p <= MAX_CORRECTED_P and self.effect >= MIN_EFFECT


def independent(rows: Sequence[ImageRow]) -> list[int]:
    """The places of the images that a ranking may use: the first of each group of one class."""
    first: dict[str, int] = {}
    classes: dict[str, set[str]] = {}
    for place, row in sorted(enumerate(rows), key=lambda numbered: numbered[1].image_id):
        first.setdefault(row.group, place)
        classes.setdefault(row.group, set()).add(row.class_name)
    return sorted(place for group, place in first.items() if len(classes[group]) == 1)


def rank(values: NDArray[np.float64], labels: Sequence[int]) -> list[ColumnRank]:
    """Rank the columns, the largest effect first; of equal ones, in the order of `COLUMNS`.

    Args:
        values: of independent images, shape (n, 50).
        labels: their classes, indices into `CLASSES`, n of them.

    Raises:
        DataError: a class has no image.
    """
    classes = np.asarray(labels, np.int64)
    problems = [
        f"no training image of {name} is left to rank features by"
        for label, name in enumerate(CLASSES)
        if not (classes == label).any()
    ]
    if problems:
        raise DataError(problems, "rank on another split: --split official, clean, grouped or time")
    tests = [_test(column, classes) for column in values.T]
    corrected = false_discovery_control([p for _, p in tests])
    ranks = [
        ColumnRank(name, h, p, float(corrected_p), h / (len(classes) - 1))
        for name, (h, p), corrected_p in zip(COLUMNS, tests, corrected, strict=True)
    ]
    return sorted(ranks, key=lambda one: -one.effect)


def ranked(selection: Selection, used: int, ranks: Sequence[ColumnRank]) -> Ranked:
    """A ranking as the lists remember it."""
    return Ranked(
        method=METHOD,
        used=used,
        details={
            "correction": CORRECTION,
            "threshold": {"corrected_p": MAX_CORRECTED_P, "epsilon_squared": MIN_EFFECT},
        },
        top=tuple(rank.column for rank in ranks if rank.is_top),
        bottom=tuple(rank.column for rank in ranks if not rank.is_top),
        statistics={
            rank.column: {
                "h": rank.h,
                "p": rank.p,
                "corrected_p": rank.corrected_p,
                "epsilon_squared": rank.effect,
            }
            for rank in ranks
        },
        command=table.command(selection.catalog.name, selection.scheme),
    )


def _test(column: NDArray[np.float64], classes: NDArray[np.int64]) -> tuple[float, float]:
    """H and p; a column of equal values says nothing, for which scipy has no number."""
    if np.ptp(column) == 0:
        return 0.0, 1.0
    h, p = kruskal(*(column[classes == label] for label in range(len(CLASSES))))
    return float(h), float(p)
