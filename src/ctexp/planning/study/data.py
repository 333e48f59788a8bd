"""What is known of the images: from catalog and audit where they are there, else from what runs say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ctexp.core import files
from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import CtexpError
from ctexp.core.paths import shown, splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.leakage import related
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import Split
from ctexp.planning.study.sets import ImageSet
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir

Rows = dict[str, Sequence[ImageRow]]

_LEAK = re.compile(r"(?P<count>[\d,]+) of [\d,]+ (?P<split>val|test) images are .*training images")
"""How a run tells of images that training holds too: see `data.caveats.leaking`."""


@dataclass(frozen=True)
class DataFacts:
    """The images of a study.

    Attributes:
        rows: split -> class -> images. Of a cross-validation, `train` is that of its first fold and `val` all
            that are judged out of fold.
        groups: likewise, independent images; `rows` where nobody has looked for copies.
        leaks: split -> images of it that training holds too, or nearly; empty where there are none.
        leaks_known: False where the images are not there to be looked at and the runs do not say either.
        median_size: width and height of the median image in pixels; None where nobody knows.
        shortcut: a sentence about metadata that tell the class, with its figures; empty where none was found.
        source: where all this comes from, as a person would type it: a file, or a run's id.
    """

    rows: Mapping[str, Mapping[str, int]] = field(hash=False)
    groups: Mapping[str, Mapping[str, int]] = field(hash=False)
    leaks: Mapping[str, int] = field(hash=False)
    leaks_known: bool
    median_size: tuple[int, int] | None
    shortcut: str
    source: str


def of_set(root: Path, data_dir: Path, images: ImageSet, runs: Sequence[RunDir]) -> DataFacts | None:
    """The facts of a study's images.

    Args:
        root: the project's folder, for the splits.
        data_dir: the folder of data.
        images: which ones.
        runs: trained on them; asked where the images are no longer those in the folder.
    """
    shortcut = _shortcut(data_dir, images)
    try:
        catalog = catalogs.load(data_dir, images.dataset)
        split, sha256 = split_file.find(splits_folder(root), catalog, images.split)
        if catalog.sha256 == images.catalog_sha256 and images.split_sha256 in (sha256, None):
            rows, leaks = _divided(split, catalog, images.fold)
            return _facts(rows, leaks, shortcut, shown(catalog.file))
    except CtexpError:
        pass  # the images have moved on; the runs say what they were
    return next((facts for run in runs if (facts := _by_manifest(run, shortcut))), None)


def _divided(split: Split, catalog: Catalog, fold: int | None) -> tuple[Rows, dict[str, int]]:
    """The images of each split, and how many of one are in training too: no fold is of its own."""
    if split.folds and fold is None:
        rows: Rows = dict(split.for_training(catalog, 0))
        rows["val"] = [row for part, its in split.rows(catalog).items() if part in split.parts for row in its]
        return rows, {}
    rows = dict(split.for_training(catalog, fold))
    return rows, _leaks(rows)


def of_catalog(data_dir: Path, name: str) -> DataFacts | None:
    """The facts of a data set nothing was trained on, split as delivered; None where there is none."""
    try:
        catalog = catalogs.load(data_dir, name)
    except CtexpError:
        return None
    used = [row for row in catalog.rows if not row.excluded]
    rows: Rows = {split: [row for row in used if row.split == split] for split in SPLITS}
    images = ImageSet(name, catalog.sha256, "official", None, None, None)
    return _facts(rows, _leaks(rows), _shortcut(data_dir, images), shown(catalog.file))


def _leaks(rows: Rows) -> dict[str, int]:
    """The images of val and test whose group has an image in train."""
    return {split: len(related(its, rows["train"])) for split, its in rows.items() if split != "train"}


def _facts(rows: Rows, leaks: Mapping[str, int], shortcut: str, source: str) -> DataFacts:
    used = [row for its in rows.values() for row in its]
    wide, high = zip(*((row.width, row.height) for row in used), strict=True)
    return DataFacts(
        rows={split: {name: len(_of(its, name)) for name in CLASSES} for split, its in rows.items()},
        groups={
            split: {name: len({row.group for row in _of(its, name)}) for name in CLASSES}
            for split, its in rows.items()
        },
        leaks={split: count for split, count in leaks.items() if count},
        leaks_known=True,
        median_size=(round(median(wide)), round(median(high))),
        shortcut=shortcut,
        source=source,
    )


def _of(rows: Sequence[ImageRow], class_name: str) -> list[ImageRow]:
    return [row for row in rows if row.class_name == class_name]


def _by_manifest(run: RunDir, shortcut: str) -> DataFacts | None:
    """What a run noted of its images; it says which splits leak, and not how many groups there are."""
    try:
        its = Manifest.read(run.manifest).dataset
    except CtexpError:
        return None
    found = [match for line in its.leaks or () if (match := _LEAK.search(line))]
    leaks = {match["split"]: int(match["count"].replace(",", "")) for match in found}
    return DataFacts(its.rows, its.rows, leaks, its.leaks is not None, None, shortcut, run.id)


def _shortcut(data_dir: Path, images: ImageSet) -> str:
    """What the audit of these very images says of metadata that tell the class; empty without an alarm."""
    try:
        found = files.read_json(data_dir / "audit" / images.dataset / "audit.json")
        if found["catalog_sha256"] != images.catalog_sha256:
            return ""
        told = [its for its in found["statements"] if its["topic"] == "shortcuts"]
        alarms = [its["text"] for its in told if its["level"] == "alarm"]
    except (CtexpError, KeyError, TypeError):
        return ""
    return str(alarms[0]) if alarms else ""
