"""The images a run may see: a data set, a split scheme, and the proof that the files are still there."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.classes import CLASSES
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.splits import select as apply_scheme


@dataclass(frozen=True)
class Selection:
    """The rows of each split.

    Attributes:
        catalog: the imported data set.
        scheme: the split scheme.
        rows: catalog rows per split, in catalog order.
    """

    catalog: Catalog
    scheme: str
    rows: Mapping[str, tuple[ImageRow, ...]]

    def counts(self) -> dict[str, dict[str, int]]:
        """Images per split and class, zeros included."""
        counters = {split: Counter(row.class_name for row in rows) for split, rows in self.rows.items()}
        return {split: {name: counts[name] for name in CLASSES} for split, counts in counters.items()}


def select(data_dir: Path, name: str, scheme: str) -> Selection:
    """Load a data set, apply a split scheme, and check every file it needs.

    Raises:
        DataError: the data set, a class or files are missing; all of them are named.
    """
    catalog = catalogs.load(data_dir, name)
    rows = apply_scheme(catalog, scheme)
    catalog.verify_files([row for part in rows.values() for row in part])
    return Selection(catalog, scheme, rows)
