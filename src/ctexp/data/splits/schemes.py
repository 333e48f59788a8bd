"""The schemes by which a data set is divided, each a function from its catalog to the part of every image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.leakage import leaks
from ctexp.data.splits.by_date import divide_by_date
from ctexp.data.splits.deal import RATIOS, divide

SCHEMES = ("official", "clean", "grouped", "kfold", "time")
"""The split schemes.

    official   the set's own folders, or its import where it had none
    clean      official without the val and test images whose group has an image in train
    grouped    a fresh one: stratified, groups whole, by seed and ratios
    kfold      stratified folds, groups whole, by seed
    time       by day of acquisition: the earliest train, the latest is the test
"""

OF_THE_CATALOG = ("official", "clean")
"""The schemes that follow from the catalog alone; the others need a file, which holds their seed."""

LEFT_OUT = "left_out"
"""The part of images that a scheme uses nowhere."""

_NEEDED = ("train", "val")


@dataclass(frozen=True)
class Split:
    """A division of a data set.

    Attributes:
        scheme: one of `SCHEMES`.
        part_of: for each image that is not excluded, by id: train, val, test or `LEFT_OUT`; for kfold the
            number of its fold.
        folds: how many, for kfold; else 0.
        made_with: what else decided it, by name: `seed`, `ratios`.
    """

    scheme: str
    part_of: Mapping[str, str]
    folds: int = 0
    made_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts that are used."""
        return tuple(str(fold) for fold in range(self.folds)) or SPLITS

    def rows(self, catalog: Catalog) -> dict[str, tuple[ImageRow, ...]]:
        """The catalog's rows of each part and of `LEFT_OUT`, in its order."""
        rows: dict[str, list[ImageRow]] = {part: [] for part in (*self.parts, LEFT_OUT)}
        for row in catalog.rows:
            if row.image_id in self.part_of:
                rows[self.part_of[row.image_id]].append(row)
        return {part: tuple(its) for part, its in rows.items()}

    def for_training(self, catalog: Catalog, fold: int | None) -> dict[str, tuple[ImageRow, ...]]:
        """The rows of train, val and test: as they are, or with one fold as val and the others as train.

        Raises:
            DataError: a class has no image in train or val; all such are listed. Test may lack any.
        """
        rows = self.rows(catalog)
        if self.folds:
            others = [row for part in self.parts if part != str(fold) for row in rows[part]]
            train = tuple(sorted(others, key=lambda row: row.image_id))
            rows = {"train": train, "val": rows[str(fold)], "test": ()}
        problems = [
            f"data set {catalog.name!r}, {self.scheme} split: no image of {class_name} in {split}"
            for split in _NEEDED
            for class_name in CLASSES
            if not any(row.class_name == class_name for row in rows[split])
        ]
        if problems:
            way = f"divide it otherwise: scripts/inv data-split --dataset {catalog.name} --scheme grouped"
            raise DataError(problems, way)
        return {split: rows[split] for split in SPLITS}


def check_scheme(scheme: str, options: Iterable[str] = SCHEMES) -> None:
    """Refuse a scheme that is none of `options`.

    Raises:
        UsageError: it is not; the nearest is named.
    """
    options = tuple(options)
    if scheme not in options:
        raise UsageError(f"there is no split scheme {scheme!r}", did_you_mean(scheme, options))


def make(
    catalog: Catalog, scheme: str, *, folds: int = 5, ratios: Mapping[str, int] = RATIOS, seed: int = 42
) -> Split:
    """Divide a data set; the same catalog and arguments always give the same.

    `folds` are for kfold; `ratios`, in percent, for grouped and time; `seed` is for grouped and kfold.

    Raises:
        UsageError: there is no such scheme.
        DataError: the set cannot be divided so; every reason is listed.
    """
    check_scheme(scheme)
    used = [row for row in catalog.rows if not row.excluded]
    triples = [(row.image_id, row.class_name, row.group) for row in used]
    shown = "/".join(str(ratios[split]) for split in SPLITS)
    match scheme:
        case "official":
            return Split(scheme, {row.image_id: row.split for row in used})
        case "clean":
            leaking = {row.image_id for rows in leaks(used).values() for row in rows}
            part_of = {row.image_id: LEFT_OUT if row.image_id in leaking else row.split for row in used}
            return Split(scheme, part_of)
        case "grouped":
            made_with = {"seed": str(seed), "ratios": shown}
            return Split(scheme, divide(triples, seed, ratios), made_with=made_with)
        case "kfold":
            if folds > len(used):
                raise DataError(f"{folds:,} folds of {len(used):,} images", "ask for fewer folds")
            shares = {str(fold): 1 for fold in range(folds)}
            return Split(scheme, divide(triples, seed, shares), folds, {"seed": str(seed)})
        case _:
            return Split(scheme, divide_by_date(used, ratios), made_with={"ratios": shown})
