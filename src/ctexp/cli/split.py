"""`data-split`: divide a data set by a scheme and keep the division in a file that is committed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ctexp.cli.tables import per_class
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.classes import SPLITS
from ctexp.core.errors import UsageError
from ctexp.core.files import sha256_bytes, write_bytes
from ctexp.core.paths import project_root, shown, splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog, ImageRow
from ctexp.data.caveats import caveats, leaking
from ctexp.data.splits import split_file
from ctexp.data.splits.deal import RATIOS
from ctexp.data.splits.schemes import LEFT_OUT, Split, check_scheme, make

_DEFAULTS = {"folds": 5, "ratios": "/".join(map(str, RATIOS.values())), "seed": 42}
_TAKEN_BY = {"folds": {"kfold"}, "ratios": {"grouped", "time"}, "seed": {"grouped", "kfold"}}


def split(dataset: str, scheme: str, folds: int, ratios: str, seed: int, json: bool) -> None:
    """Write the split file of a data set, and tell what is in it."""
    check_scheme(scheme)
    shares = _checked(scheme, {"folds": folds, "ratios": ratios, "seed": seed})
    root = project_root()
    catalog = catalogs.load(resolve_paths(root)[0], dataset)
    made = make(catalog, scheme, folds=folds, ratios=shares, seed=seed)
    warnings = _warnings(catalog, made)
    file = split_file.split_file(splits_folder(root), dataset, scheme)
    before = split_file.read(file)
    after = split_file.as_text(catalog, made).encode()
    write_bytes(file, after)
    counts = {
        part: catalogs.per_class(rows)
        for part, rows in made.rows(catalog).items()
        if rows or part != LEFT_OUT
    }
    document = {
        "dataset": dataset,
        "scheme": scheme,
        "file": str(file),
        "sha256": sha256_bytes(after),
        "unchanged": before == after,
        "counts": counts,
        "warnings": warnings,
    }
    if json:
        screen.emit_json(document)
        return
    print(f"{catalog.title}, {scheme} split: {shown(file)}{', unchanged' if before == after else ''}")
    print(f"sha256 {document['sha256']}")
    screen.print_table(per_class(counts, total=True))
    for warning in warnings:
        screen.warn(warning)
    if before not in {None, after}:
        screen.warn(
            "another split was there: runs that began with it cannot be resumed or evaluated now; where it "
            f"was committed, `git checkout -- {shown(file)}` has it back"
        )
    fold = " data.fold=0" if made.folds else ""
    screen.note(f"commit it: git add {shown(file)}")
    screen.note(f"train on it: scripts/inv train data.name={dataset} data.split={scheme}{fold}")
    if made.folds:
        screen.note(f"train every fold: scripts/inv cross-validate data.name={dataset}")


def _warnings(catalog: Catalog, made: Split) -> list[str]:
    """What is to be known of figures on the split, or on each fold.

    Raises:
        DataError: training could not use it, since a class is missing.
    """
    if not made.folds:
        return _of(made.scheme, made.for_training(catalog, None))
    return [
        f"with data.fold={fold}, {line}"
        for fold in range(made.folds)
        for line in _of(made.scheme, made.for_training(catalog, fold))
    ]


def _of(scheme: str, rows: Mapping[str, Sequence[ImageRow]]) -> list[str]:
    return [*leaking(scheme, rows), *caveats(rows)]


def _checked(scheme: str, flags: Mapping[str, Any]) -> dict[str, int]:
    """The ratios by split.

    Raises:
        UsageError: flags make no sense, or not with this scheme; all of them are told.
    """
    problems = [
        f"--{name}: the {scheme} scheme takes none"
        for name, value in flags.items()
        if value != _DEFAULTS[name] and scheme not in _TAKEN_BY[name]
    ]
    if flags["folds"] < 2:
        problems.append(f"--folds: {flags['folds']} is less than 2")
    if not 0 <= flags["seed"] < 2**32:
        problems.append(f"--seed: {flags['seed']} is not from 0 to {2**32 - 1}")
    matched = re.fullmatch(r"([1-9][0-9]?)/([1-9][0-9]?)/([1-9][0-9]?)", flags["ratios"])
    numbers = [int(number) for number in matched.groups()] if matched else []
    if sum(numbers) != 100:
        problems.append(f"--ratios: {flags['ratios']!r} is not three whole percentages that add up to 100")
    if problems:
        raise UsageError(problems, "see: scripts/inv --help data-split")
    return dict(zip(SPLITS, numbers, strict=True))
