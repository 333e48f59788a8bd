"""How much there is to learn from and to measure on."""

from collections.abc import Sequence

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.data.audit.findings import Counts, Rare
from ctexp.data.catalog import ImageRow
from ctexp.data.caveats import ENOUGH
from ctexp.data.leakage import leaks


def count(rows: Sequence[ImageRow]) -> Counts:
    """Images and groups of each class in each split, and the classes that are too rare to be measured."""
    used = [row for row in rows if not row.excluded]
    touching = {split: {row.group for row in leaking} for split, leaking in leaks(rows).items()}
    images: dict[str, dict[str, int]] = {}
    groups: dict[str, dict[str, int]] = {}
    rare = []
    for split in SPLITS:
        images[split], groups[split] = {}, {}
        for name in CLASSES:
            mine = [row.group for row in used if row.split == split and row.class_name == name]
            images[split][name] = len(mine)
            groups[split][name] = len(set(mine))
            clean = len(set(mine) - touching.get(split, set()))
            if split != "train" and clean < ENOUGH:
                rare.append(Rare(split, name, len(mine), len(set(mine)), clean))
    # A split that is not there at all is no rare class.
    return Counts(images, groups, tuple(one for one in rare if any(images[one.split].values())))
