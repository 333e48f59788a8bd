"""What stands on both sides of the official split, so that figures on the other side flatter."""

from collections.abc import Iterable, Sequence

from ctexp.core.classes import SPLITS
from ctexp.data.catalog import ImageRow


def leaks(rows: Iterable[ImageRow]) -> dict[str, tuple[ImageRow, ...]]:
    """For val and test, the images whose group has an image in train, by the catalog's own column.

    Excluded images count on neither side.
    """
    used = [row for row in rows if not row.excluded]
    official = {split: [row for row in used if row.split == split] for split in SPLITS}
    return {split: related(official[split], official["train"]) for split in SPLITS if split != "train"}


def test_in_val(rows: Iterable[ImageRow]) -> tuple[ImageRow, ...]:
    """The test images whose group has an image in val and none in train, so that the clean scheme keeps them.

    Excluded images count on neither side.
    """
    used = [row for row in rows if not row.excluded]
    train = {row.group for row in used if row.split == "train"}
    apart = [row for row in used if row.group not in train]
    return related(
        [row for row in apart if row.split == "test"], [row for row in apart if row.split == "val"]
    )


def related(rows: Iterable[ImageRow], others: Iterable[ImageRow]) -> tuple[ImageRow, ...]:
    """Those of `rows` that share a group with one of `others`."""
    groups = {row.group for row in others}
    return tuple(row for row in rows if row.group in groups)


def relation(rows: Sequence[ImageRow], to: str) -> str:
    """What related images are to the others, as a message puts it: `copies of training images`."""
    copies = f"copies of {to} images"
    return f"{copies} or show the same patients" if any("patient" in row.meta for row in rows) else copies
