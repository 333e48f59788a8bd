"""Which image is on which side: the official scheme, and the split made for sets that come without one."""

from collections import defaultdict
from collections.abc import Sequence

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.draws import Purpose, bits

SCHEMES = ("official",)
"""The split schemes there are; `official` is the catalog's own column."""

SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}
"""The shares of each class when an unsplit set is divided at import."""

_NEEDED = ("train", "val")


def select(catalog: Catalog, scheme: str) -> dict[str, tuple[ImageRow, ...]]:
    """The rows of train, val and test in the catalog's order, without excluded ones.

    Raises:
        UsageError: there is no such scheme.
        DataError: a class has no image left in train or val; all such are listed. Test may be empty.
    """
    if scheme not in SCHEMES:
        raise UsageError(f"data.split: there is no scheme {scheme!r}", did_you_mean(scheme, SCHEMES))
    chosen = {
        split: tuple(row for row in catalog.rows if row.split == split and not row.excluded)
        for split in SPLITS
    }
    problems = [
        f"data set {catalog.name!r}: no image of {class_name} in {split}"
        for split in _NEEDED
        for class_name in CLASSES
        if not any(row.class_name == class_name for row in chosen[split])
    ]
    if problems:
        raise DataError(problems, "import a set that has some, or exclude fewer images")
    return chosen


def divide(images: Sequence[tuple[str, str, str]], seed: int) -> dict[str, str]:
    """Split a set that comes without splits: stratified, seeded, identical bytes on one side.

    In each class, groups of identical bytes are taken in random order, larger groups first, and each goes
    to the split that lacks most of its share. So large groups end in train, and single images make the
    shares come out as near as they can.

    Args:
        images: (image id, class name, group) of each.
        seed: another seed, another split; the order of `images` does not matter.

    Returns:
        The split of each image id.

    Raises:
        DataError: a class has fewer than three distinct images; all such classes are listed.
    """
    members: dict[str, list[str]] = defaultdict(list)
    class_of_group: dict[str, str] = {}
    for image_id, class_name, group in sorted(images):
        members[group].append(image_id)
        class_of_group.setdefault(group, class_name)

    split_of: dict[str, str] = {}
    problems: list[str] = []
    for number, class_name in enumerate(CLASSES):
        groups = [group for group, its_class in class_of_group.items() if its_class == class_name]
        if len(groups) < len(SPLITS):
            problems.append(
                f"{class_name}: {len(groups)} distinct images; a split needs at least {len(SPLITS)}"
            )
            continue
        rank = dict(zip(groups, bits(seed, 0, Purpose.SPLIT, number).random_raw(len(groups)), strict=True))
        groups.sort(key=lambda group: (-len(members[group]), rank[group]))
        for group, split in _deal(groups, [len(members[group]) for group in groups]).items():
            split_of.update(dict.fromkeys(members[group], split))
    if problems:
        raise DataError(problems, "add images, or bring the set already split into train, val and test")
    return split_of


def _deal(groups: Sequence[str], sizes: Sequence[int]) -> dict[str, str]:
    """Each group's split: the one that lacks most, but no split stays empty."""
    lacking = {split: max(1.0, share * sum(sizes)) for split, share in SHARES.items()}
    empty = set(SPLITS)
    dealt: dict[str, str] = {}
    for position, (group, size) in enumerate(zip(groups, sizes, strict=True)):
        must_fill = len(groups) - position <= len(empty)
        choice = max((split for split in SPLITS if not must_fill or split in empty), key=lacking.__getitem__)
        dealt[group] = choice
        lacking[choice] -= size
        empty.discard(choice)
    return dealt
