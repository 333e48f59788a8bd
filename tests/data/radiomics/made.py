"""A data set with features but without images: its selection, and the files that extract-features writes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.radiomics import lists, ranking, table
from ctexp.data.radiomics.columns import COLUMNS
from ctexp.data.radiomics.lists import FeatureLists
from ctexp.data.selection import Selection
from tests.data.rows import row

COUNTS = {"train": 200, "val": 16, "test": 12}

INFORMATIVE = COLUMNS[20:30]
"""The columns that follow the class."""

Values = dict[str, NDArray[np.float64]]
"""Per split the features of its images, in the selection's order."""


def make_selection(scheme: str = "official", fold: int | None = None) -> Selection:
    """Distinct images of all classes in every split."""
    rows = {split: tuple(_row(split, number) for number in range(count)) for split, count in COUNTS.items()}
    all_rows = tuple(one for part in rows.values() for one in part)
    catalog = Catalog("made", Path("raw"), Path("raw.parquet"), all_rows, "0" * 64)
    return Selection(catalog, scheme, fold, rows, "5" * 64)


def _row(split: str, number: int) -> ImageRow:
    name = f"{split}/{number:03d}.png"
    return row(name, name.encode(), split=split, class_name=CLASSES[number % len(CLASSES)])


def make_values(selection: Selection) -> Values:
    """Noise of very different scales, to which the informative columns add the class."""
    rng = np.random.default_rng(6)
    scales = 10.0 ** rng.integers(-4, 6, len(COLUMNS))
    follows = np.isin(COLUMNS, INFORMATIVE)
    return {
        split: (rng.normal(5, 1, (len(rows), 50)) + np.outer([one.label for one in rows], follows)) * scales
        for split, rows in selection.rows.items()
    }


def write(folder: Path, selection: Selection, values: Values) -> FeatureLists:
    """Write table and lists, as `inv extract-features` does."""
    rows = [one for part in selection.rows.values() for one in part]
    table.write(table.table_file(folder, "made"), rows, np.vstack(list(values.values())))
    ranks = ranking.rank(values["train"], [one.label for one in selection.rows["train"]])
    ranked = ranking.ranked(selection, len(values["train"]), ranks)
    return lists.write(lists.lists_file(folder, "made", selection.fold), selection, ranked)
