"""What a reader of figures on a split should know: where they flatter, and where they mean little."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ctexp.core.classes import CLASSES, NORMAL
from ctexp.data.catalog import ImageRow
from ctexp.data.leakage import related, relation

ENOUGH = 10
"""Independent images of a class: with 8 of 9 recognised, the 95 % Wilson interval is 57 to 98 %."""

_MUST_DIFFER = (("val", "train", "training"), ("test", "train", "training"), ("test", "val", "validation"))


def leaking(scheme: str, rows: Mapping[str, Sequence[ImageRow]]) -> tuple[str, ...]:
    """A line for each pair of sides of which one has relatives of images on the other."""
    lines = []
    for split, other, kind in _MUST_DIFFER:
        shared = related(rows[split], rows[other])
        if shared:
            lines.append(
                f"{scheme} split: {len(shared):,} of {len(rows[split]):,} {split} images are "
                f"{relation(shared, kind)}; figures on them flatter"
            )
    return tuple(lines)


def caveats(rows: Mapping[str, Sequence[ImageRow]]) -> tuple[str, ...]:
    """A line for each split with labels that contradict, or with classes too rare to say much."""
    return (*_contradicting(rows), *_too_few("val", rows["val"]), *_too_few("test", rows["test"]))


def _contradicting(rows: Mapping[str, Sequence[ImageRow]]) -> list[str]:
    """For each split how many of its images show a picture that has several classes among the run's images.

    The images of a group are copies, unless a patient joins them: then only equal pixels are a picture.
    """
    used = [row for its in rows.values() for row in its]
    of_people = {row.group for row in used if "patient" in row.meta}
    classes: dict[str, set[str]] = defaultdict(set)

    def picture(row: ImageRow) -> str:
        return row.pixels if row.group in of_people else row.group

    for row in used:
        classes[picture(row)].add(row.class_name)
    lines = []
    for split, its in rows.items():
        torn = [picture(row) for row in its if len(classes[picture(row)]) > 1]
        if torn:
            lines.append(
                f"{split}: copies under several classes, so that labels contradict "
                f"(images: {len(torn):,}, groups of copies: {len(set(torn)):,})"
            )
    return lines


def _too_few(split: str, rows: Sequence[ImageRow]) -> list[str]:
    """The classes with less than `ENOUGH` groups: images of one are recognised or missed together."""
    groups = {name: len({row.group for row in rows if row.class_name == name}) for name in CLASSES}
    rare = {name: count for name, count in groups.items() if count < ENOUGH}
    if not rows or not rare:
        return []
    # What is measured on images of cancers is sensitivity, on normal ones specificity.
    figures = sorted({"specificity" if name == CLASSES[NORMAL] else "sensitivity" for name in rare})
    listed = ", ".join(f"{count} of {name}" for name, count in rare.items())
    return [f"{split}: few independent images ({listed}): {' and '.join(figures)} can hardly be measured"]
