"""Copies of one picture: in which groups, on which sides of the splits, and under which labels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from scipy.cluster.hierarchy import DisjointSet

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.data.audit.findings import CopyGroup, Leak, Member, Patients
from ctexp.data.catalog import ImageRow
from ctexp.data.duplicates.find import Kind, Pair
from ctexp.data.intake.people import PATIENT
from ctexp.data.leakage import leaks as leaking_rows

_LOOSENESS: tuple[Kind, ...] = ("bytes", "pixels", "near")


def copy_groups(rows: Sequence[ImageRow], pairs: Sequence[Pair]) -> list[CopyGroup]:
    """The connected components of copies with two or more images in use.

    Returns:
        What needs attention first: groups of several classes, then those across splits, then near copies,
        the least alike first.
    """
    sets = DisjointSet(range(len(rows)))
    for pair in pairs:
        sets.merge(pair.first, pair.second)
    of_set: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_set[sets[pair.first]].append(pair)
    groups = [
        _group([rows[place] for place in sorted(sets.subset(root))], inside)
        for root, inside in of_set.items()
    ]
    in_use = [group for group in groups if sum(not member.excluded for member in group.members) > 1]
    return sorted(
        in_use,
        key=lambda group: (
            -len(group.classes),
            -len(group.splits),
            group.kind != "near",
            group.similarity,
            group.members[0].image_id,
        ),
    )


def _group(rows: Sequence[ImageRow], pairs: Sequence[Pair]) -> CopyGroup:
    used = [row for row in rows if not row.excluded]
    return CopyGroup(
        group=rows[0].group,
        kind=max((pair.kind for pair in pairs), key=_LOOSENESS.index),
        similarity=round(min(pair.similarity for pair in pairs), 4),
        splits=tuple(split for split in SPLITS if any(row.split == split for row in used)),
        classes=tuple(name for name in CLASSES if any(row.class_name == name for row in used)),
        members=tuple(Member(row.image_id, row.split, row.class_name, row.excluded) for row in rows),
    )


def leaks(rows: Sequence[ImageRow], groups: Sequence[CopyGroup]) -> list[Leak]:
    """How much of val and test belongs together with training, by split and class; nothing for the others."""
    train = [row for row in rows if row.split == "train" and not row.excluded]
    exact = {row.sha256 for row in train} | {row.pixels for row in train}
    copied = {
        member.image_id: number
        for number, group in enumerate(groups)
        if "train" in group.splits
        for member in group.members
    }

    def how(row: ImageRow) -> Literal["exact", "near", "related"]:
        if row.sha256 in exact or row.pixels in exact:
            return "exact"
        # Who can say what joins an image to its group where no patient is known? Only a likeness can.
        return "near" if row.image_id in copied or PATIENT not in row.meta else "related"

    found = []
    for split, leaking in leaking_rows(rows).items():
        for class_name in CLASSES:
            mine = [row for row in leaking if row.class_name == class_name]
            if not mine:
                continue
            ways = {way: [row for row in mine if how(row) == way] for way in ("exact", "near", "related")}
            found.append(
                Leak(
                    split=split,
                    class_name=class_name,
                    images=sum(
                        row.split == split and row.class_name == class_name and not row.excluded
                        for row in rows
                    ),
                    exact=len(ways["exact"]),
                    exact_distinct=len({row.pixels for row in ways["exact"]}),
                    near=len(ways["near"]),
                    near_distinct=len({copied.get(row.image_id, row.image_id) for row in ways["near"]}),
                    related=len(ways["related"]),
                )
            )
    return found


def patients(rows: Iterable[ImageRow]) -> Patients:
    """Who is on which side, as far as patients are known."""
    splits_of: dict[str, set[str]] = defaultdict(set)
    known = 0
    for row in rows:
        if PATIENT in row.meta and not row.excluded:
            known += 1
            splits_of[row.meta[PATIENT]].add(row.split)
    return Patients(
        known=known,
        people=len(splits_of),
        across={
            patient: tuple(split for split in SPLITS if split in splits)
            for patient, splits in sorted(splits_of.items())
            if len(splits) > 1
        },
    )
