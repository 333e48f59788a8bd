"""What an import brought in: counts, exact duplicates, and what was passed over."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.data.catalog import Catalog, ImageRow


@dataclass(frozen=True)
class Duplicates:
    """Groups of images whose files are byte for byte the same.

    Attributes:
        groups: how many groups of two or more there are.
        within: per split, the groups that have two or more images in it.
        across: the groups with images in two or more splits.
        in_train: for val and test, the images whose bytes are in train too: each is a leak.
        conflicting: the groups whose images stand in different classes, as tuples of image ids.
    """

    groups: int
    within: dict[str, int]
    across: int
    in_train: dict[str, int]
    conflicting: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ImportReport:
    """The outcome of one import.

    Attributes:
        catalog: what was made, or what was there already.
        unchanged: the very same set was there already, so that nothing was done.
        split_seed: the seed of the split made here; None when the folders named the splits.
        counts: images per split and class, zeros included.
        duplicates: exact duplicates.
        ignored: droppings of operating systems and tools that were passed over, relative to the source.
    """

    catalog: Catalog
    unchanged: bool
    split_seed: int | None
    counts: dict[str, dict[str, int]]
    duplicates: Duplicates
    ignored: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as a JSON-ready document."""
        return {
            "name": self.catalog.name,
            "raw": str(self.catalog.raw),
            "catalog": {"file": str(self.catalog.file), "sha256": self.catalog.sha256},
            "unchanged": self.unchanged,
            "split_seed": self.split_seed,
            "images": len(self.catalog.rows),
            "counts": self.counts,
            "duplicates": {
                "groups": self.duplicates.groups,
                "within": self.duplicates.within,
                "across": self.duplicates.across,
                "in_train": self.duplicates.in_train,
                "conflicting": [list(ids) for ids in self.duplicates.conflicting],
            },
            "ignored": list(self.ignored),
        }


def report_on(
    catalog: Catalog, unchanged: bool, split_seed: int | None, ignored: Sequence[str]
) -> ImportReport:
    """Count what a catalog holds."""
    return ImportReport(
        catalog, unchanged, split_seed, count(catalog.rows), find_duplicates(catalog.rows), tuple(ignored)
    )


def count(rows: Sequence[ImageRow]) -> dict[str, dict[str, int]]:
    """Images per split and class, zeros included."""
    pairs = Counter((row.split, row.class_name) for row in rows)
    return {split: {name: pairs[split, name] for name in CLASSES} for split in SPLITS}


def find_duplicates(rows: Sequence[ImageRow]) -> Duplicates:
    """Find the images whose bytes occur more than once."""
    by_content: dict[str, list[ImageRow]] = defaultdict(list)
    for row in rows:
        by_content[row.sha256].append(row)
    groups = [group for group in by_content.values() if len(group) > 1]
    splits_of = [Counter(row.split for row in group) for group in groups]
    return Duplicates(
        groups=len(groups),
        within={split: sum(splits[split] > 1 for splits in splits_of) for split in SPLITS},
        across=sum(len(splits) > 1 for splits in splits_of),
        in_train={
            split: sum(splits[split] for splits in splits_of if splits["train"])
            for split in SPLITS
            if split != "train"
        },
        conflicting=tuple(
            tuple(row.image_id for row in group)
            for group in groups
            if len({row.class_name for row in group}) > 1
        ),
    )
