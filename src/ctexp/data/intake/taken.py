"""Importing under a name that is taken: the same set again, the same with more known of it, or another set.

What an import was given decides what the catalog says, whatever it said before. So that nothing is lost by a
forgotten flag, an import is refused that would take back what is known, or exclusions, without being told to:
a column with empty cells takes back what is known, an empty list the exclusions.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.data import catalog
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.intake.assemble import division


def same_set(
    data_dir: Path, name: str, rows: Sequence[ImageRow], division_seed: int | None
) -> Catalog | None:
    """The set that has the name, if it holds these images, made grey and divided alike; None if it is free.

    Its files may be missing or damaged, its whole folder gone.

    `division_seed` is None where the folders divided the rows.

    Raises:
        DataError: the name is taken by something else.
    """
    raw, file = catalog.raw_folder(data_dir, name), catalog.catalog_file(data_dir, name)
    ways = f"choose another --name, or move {raw} and {file.name} away first"
    if not file.exists():
        if os.path.lexists(raw):
            raise DataError(f"{raw}: exists, but without a catalog", ways)
        return None
    there = catalog.read(data_dir, name)
    difference = _difference(_by_id(rows), _by_id(there.rows), division_seed)
    if difference:
        raise DataError(f"data set {name!r} exists with {difference}", ways)
    return there


def _by_id(rows: Sequence[ImageRow]) -> dict[str, ImageRow]:
    return {row.image_id: row for row in rows}


def _difference(here: Mapping[str, ImageRow], there: Mapping[str, ImageRow], seed: int | None) -> str:
    """What makes `there` another set than `here`; empty where nothing does."""
    if {i: row.sha256 for i, row in here.items()} != {i: row.sha256 for i, row in there.items()}:
        shared = sum(i in there and there[i].sha256 == row.sha256 for i, row in here.items())
        return f"other content: {len(there)} images there, {len(here)} here, {shared} the same"
    windows = [(there[i].window, row.window) for i, row in here.items() if row.pixels and there[i].pixels]
    other = next((pair for pair in windows if pair[0] != pair[1]), None)
    if other:
        return f"the same images, windowed differently: {other[0]} there, {other[1]} here"
    split, before = ({i: row.split for i, row in rows.items()} for rows in (here, there))
    if split != before and seed is not None:
        # The groups may be better known now, which divides the set anew; the seed must be the one it had.
        split = division(((i, row.class_name, row.group, row.excluded) for i, row in there.items()), seed)
    return "the same images, split differently" if split != before else ""


def refuse_loss(
    there: Catalog, rows: Sequence[ImageRow], *, columns: Collection[str] | None, exclusions: bool
) -> None:
    """Make sure that nothing is taken back by a flag or a column that was forgotten.

    Args:
        there: the set as it is.
        rows: what its catalog is to say.
        columns: those of the table that was given; None for no table.
        exclusions: whether a list of exclusions was given.

    Raises:
        DataError: something would be.
    """
    here = _by_id(rows)
    pairs = [(old, here[old.image_id]) for old in there.rows]
    lost = {
        name
        for old, new in pairs
        for name, value in old.meta.items()
        if new.meta.get(name) != value and name not in (columns or ())
    }
    back = sum(old.excluded and not new.excluded for old, new in pairs)
    problems, hints = [], []
    if lost:
        names = ", ".join(sorted(lost))
        why = (
            " from a table not given now" if columns is None else ", which the table given now does not bring"
        )
        problems.append(f"data set {there.name!r} knows {names}{why}")
        hints.append(f"give --metadata with {names} (empty cells take back), or move the set away")
    if back and not exclusions:
        left_out = f"{back:,} of {len(pairs):,} images"
        problems.append(f"data set {there.name!r} leaves out {left_out} by a list not given now")
        hints.append("give --exclude again; a shorter list takes some back")
    if problems:
        raise DataError(problems, "; ".join(hints))


def changes(there: Catalog, rows: Sequence[ImageRow]) -> str:
    """What the catalog is to say differently, for example `group of 12, patient of 30 of 1,000 images`."""
    here = _by_id(rows)
    pairs = [(old, here[old.image_id]) for old in there.rows]
    counts = {
        name: sum(getattr(old, name) != getattr(new, name) for old, new in pairs)
        for name in vars(there.rows[0])
        if name != "meta"
    }
    for known in sorted({known for pair in pairs for row in pair for known in row.meta}):
        counts[known] = sum(old.meta.get(known) != new.meta.get(known) for old, new in pairs)
    changed = [f"{name} of {count:,}" for name, count in counts.items() if count]
    return f"{', '.join(changed)} of {len(pairs):,} images" if changed else ""
