"""What an import brought in: counts, what a person should hear of it, and what was passed over."""

from dataclasses import dataclass
from typing import Any, Literal

from ctexp.core.classes import SPLITS
from ctexp.data.catalog import Catalog, per_class

Outcome = Literal["imported", "updated", "restored", "unchanged"]
"""A new set; one that was there already, with a catalog that says something else now, or with files that were
missing or damaged; nothing."""


@dataclass(frozen=True)
class ImportReport:
    """The outcome of one import.

    Attributes:
        catalog: what was made, or what was there already.
        outcome: what was done.
        split_seed: the seed of the split made here; None when the folders named the splits.
        notes: what a person should hear of it, one line each.
        warnings: what may have gone wrong, one line each.
        ignored: droppings of operating systems and tools that were passed over, relative to the source.
    """

    catalog: Catalog
    outcome: Outcome
    split_seed: int | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Images per split and class, zeros included, without excluded ones."""
        used = [row for row in self.catalog.rows if not row.excluded]
        return {split: per_class([row for row in used if row.split == split]) for split in SPLITS}

    def as_dict(self) -> dict[str, Any]:
        """The report as a JSON-ready document."""
        rows = self.catalog.rows
        return {
            "name": self.catalog.name,
            "raw": str(self.catalog.raw),
            "catalog": {"file": str(self.catalog.file), "sha256": self.catalog.sha256},
            "outcome": self.outcome,
            "unchanged": self.outcome == "unchanged",
            "split_seed": self.split_seed,
            "images": len(rows),
            "counts": self.counts,
            "excluded": [row.image_id for row in rows if row.excluded],
            "windows": sorted({row.window for row in rows if row.window}),
            "known": sorted({name for row in rows for name in row.meta}),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "ignored": list(self.ignored),
        }
