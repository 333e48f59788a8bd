"""Data sets of rows alone, by hand or by hypothesis."""

from pathlib import Path

from hypothesis import strategies as st

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.data.catalog import Catalog, ImageRow
from tests.data.rows import row


def catalog_of(*rows: ImageRow, name: str = "few") -> Catalog:
    """A catalog that is nowhere on disk, its rows in order as every catalog's are."""
    ordered = tuple(sorted(rows, key=lambda row: row.image_id))
    return Catalog(name, Path(name), Path(f"{name}.parquet"), ordered, "0" * 64)


def full(per_part: int = 12) -> list[ImageRow]:
    """So many images of every class in every official split, none related."""
    return [
        image(f"{split}/{name}/{n:02d}.png", f"{split}-{name}-{n}", name, split)
        for split in SPLITS
        for name in CLASSES
        for n in range(per_part)
    ]


def image(image_id: str, group: str, class_name: str, split: str = "train", **meta: str) -> ImageRow:
    """One image of a group."""
    return row(image_id, image_id.encode(), group=group, class_name=class_name, split=split, meta=meta)


@st.composite
def any_set(draw: st.DrawFn, least: int = 5) -> list[ImageRow]:
    """Images in groups of all sizes over all splits, some of several classes; at least `least` a class."""
    rows = []
    for name in CLASSES:
        for number, size in enumerate(draw(st.lists(st.integers(1, 9), min_size=least, max_size=15))):
            odd = draw(st.sampled_from(CLASSES)) if number >= least else name
            for copy in range(size):
                split = draw(st.sampled_from(SPLITS))
                class_name = odd if copy == 0 else name
                rows.append(image(f"{name}/{number}-{copy}.png", f"{name}{number}", class_name, split))
    return rows
