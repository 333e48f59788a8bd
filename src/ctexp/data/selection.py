"""The images a run may see: a data set, a split, and the proof that the files are still those imported."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import UsageError
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.caveats import caveats, leaking
from ctexp.data.leakage import leaks, relation
from ctexp.data.sample import sample
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import SCHEMES, Split, check_scheme

AUTO = "auto"
"""Not a scheme but the choice between two: clean where official leaks, else official."""


@dataclass(frozen=True)
class Selection:
    """The rows of each split.

    Attributes:
        catalog: the imported data set.
        scheme: the split scheme; never `auto`.
        fold: which one is val, for kfold; else None.
        rows: catalog rows of train, val and test, in catalog order.
        sha256: of the split's text, which is its identity.
        notes: what was decided here, one line each.
        leaks: images whose relatives are on another side, one line for each pair of sides.
        warnings: what else a reader of this run's figures should know, one line each.
        sample: how many images of each split were asked for; None for all.
    """

    catalog: Catalog
    scheme: str
    fold: int | None
    rows: Mapping[str, tuple[ImageRow, ...]]
    sha256: str
    notes: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sample: int | None = None

    def counts(self) -> dict[str, dict[str, int]]:
        """Images per split and class, zeros included."""
        return {split: catalogs.per_class(rows) for split, rows in self.rows.items()}

    def left_out(self) -> dict[str, int]:
        """Images that are in none of the splits, by the split that they officially are of; no zeros."""
        chosen = {row.image_id for rows in self.rows.values() for row in rows}
        return dict(
            Counter(row.split for row in self.catalog.rows if not row.excluded and row.image_id not in chosen)
        )


def select(
    data_dir: Path,
    splits: Path,
    name: str,
    scheme: str,
    fold: int | None,
    size: int | None = None,
    *,
    hashed: bool = True,
) -> Selection:
    """Load a data set, divide it, and check the content of every file that is used.

    Args:
        data_dir: the data folder.
        splits: the folder of split files.
        name: the data set's.
        scheme: a split scheme, or `auto`.
        fold: which one is val, for kfold; None for all other schemes.
        size: take only so many images of each split, for trying things out; None takes all.
        hashed: whether the files' content is checked, or only that they are there and of the right size.

    Raises:
        UsageError: there is no such scheme or fold.
        DataError: the data set, its split, a class or files are missing or changed; all of a kind are listed.
    """
    check_scheme(scheme, (AUTO, *SCHEMES))
    catalog = catalogs.load(data_dir, name)
    notes = []
    if scheme == AUTO:
        copied = {split: rows for split, rows in leaks(catalog.rows).items() if rows}
        scheme = "clean" if copied else "official"
        notes = [_choice(copied)] if copied else []
    split, sha256 = split_file.find(splits, catalog, scheme)
    _check_fold(split, fold, split_file.split_file(splits, name, scheme))
    rows = split.for_training(catalog, fold)
    shared, warnings = leaking(scheme, rows), caveats(rows)
    if size is not None:
        rows = {part: sample(members, size) for part, members in rows.items()}
        warnings = (f"data.sample={size}: a sample of each split, for trying things out", *warnings)
    catalog.verify_files([row for part in rows.values() for row in part], full=hashed)
    return Selection(catalog, scheme, fold, rows, sha256, tuple(notes), shared, warnings, size)


def _choice(leaking: Mapping[str, tuple[ImageRow, ...]]) -> str:
    counts = " and ".join(f"{many(len(rows), 'image')} of {split}" for split, rows in leaking.items())
    kind = relation([row for rows in leaking.values() for row in rows], "training")
    return (
        f"data.split=auto: {counts} left out, {kind}; the clean scheme is used "
        f"(data.split=official keeps them)"
    )


def _check_fold(split: Split, fold: int | None, file: Path) -> None:
    if split.folds and (fold is None or fold >= split.folds):
        raise UsageError(f"data.fold={fold}: {file} has the folds 0 to {split.folds - 1}", "name one of them")
