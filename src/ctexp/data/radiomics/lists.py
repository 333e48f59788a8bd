"""The named lists of columns: `research/features/<data set>.yaml`, committed, with where they come from.

    origin            how the columns were ranked, on which images, by which thresholds
    top_features      the columns that count, best first
    bottom_features   all others, the negative control
    statistics        of every column

Two commands write them: `extract-features` ranks by training images alone (`ranking`), `analyze-features` by
what trained networks rely on, on validation images. Whichever was last stands in the file.

The same images, split and definitions give the same bytes. A list is bound to the images it was made from: on
others it could have seen what a run is judged on. Each fold of a kfold split has a list of its own,
`<data set>.kfold-<fold>.yaml`, since what it validates on is what the others train on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctexp import __version__
from ctexp.core import yaml_file
from ctexp.core.errors import DataError, UsageError
from ctexp.core.files import sha256_bytes, write_text
from ctexp.core.names import did_you_mean
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics.columns import COLUMNS, DEFINITIONS
from ctexp.data.radiomics.table import command
from ctexp.data.selection import Selection

NAMES = ("top_features", "bottom_features")


@dataclass(frozen=True)
class FeatureLists:
    """Which columns are which.

    Attributes:
        file: where they are written down.
        origin: where they come from, as it stands there.
        columns: the columns of each of `NAMES`.
    """

    file: Path
    origin: Mapping[str, Any]
    columns: Mapping[str, tuple[str, ...]]

    def has_seen(self, rows: Sequence[ImageRow]) -> bool:
        """Whether these validation images had a say in which columns are which."""
        validation = self.origin.get("validation")
        return isinstance(validation, Mapping) and validation.get("sha256") == fingerprint(rows)


@dataclass(frozen=True)
class Ranked:
    """What decides the lists.

    Attributes:
        method: how the columns were ranked, a few words.
        used: the number of training images that had a say.
        details: what else `origin` says of that.
        top: the columns that count, best first.
        bottom: all others.
        statistics: of each column, by name.
        command: what makes the same lists again.
        validated: whether validation images had a say.
    """

    method: str
    used: int
    details: Mapping[str, Any]
    top: tuple[str, ...]
    bottom: tuple[str, ...]
    statistics: Mapping[str, Mapping[str, Any]]
    command: str
    validated: bool = False


def lists_file(folder: Path, name: str, fold: int | None = None) -> Path:
    """Where the lists of a data set, or of one fold of its kfold split, are in the folder of lists."""
    return folder / (f"{name}.yaml" if fold is None else f"{name}.kfold-{fold}.yaml")


def fingerprint(rows: Sequence[ImageRow]) -> str:
    """SHA-256 over ids, contents and classes of images: what a ranking was allowed to see."""
    lines = sorted(f"{row.sha256} {row.class_name} {row.image_id}\n" for row in rows)
    return sha256_bytes("".join(lines).encode())


def write(file: Path, selection: Selection, ranked: Ranked) -> FeatureLists:
    """Write the lists that a ranking on the images of `selection` makes.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    training, validation = selection.rows["train"], selection.rows["val"]
    fold = {} if selection.fold is None else {"fold": selection.fold}
    origin = {
        "method": ranked.method,
        **ranked.details,
        "dataset": selection.catalog.name,
        "catalog": selection.catalog.fingerprint,
        "split": {"scheme": selection.scheme, **fold, "sha256": selection.sha256},
        "training": {"images": len(training), "used": ranked.used, "sha256": fingerprint(training)},
    }
    if ranked.validated:
        origin["validation"] = {"images": len(validation), "sha256": fingerprint(validation)}
    document = {
        "origin": origin | {"definitions": DEFINITIONS, "ctexp": __version__},
        "top_features": list(ranked.top),
        "bottom_features": list(ranked.bottom),
        "statistics": {column: _rounded(its) for column, its in ranked.statistics.items()},
    }
    write_text(file, f"# Written by: {ranked.command}\n{yaml_file.dump(document)}")
    return load(file)


def _rounded(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """As they are written: what the last digits are differs between machines."""
    return {
        name: float(f"{value:.5g}") if isinstance(value, float) else value
        for name, value in statistics.items()
    }


def method_in(file: Path) -> str | None:
    """By which method the lists in a file were made; None where there are none, or nobody can tell."""
    try:
        return str(yaml_file.read_mapping(file)["origin"]["method"])
    except (UsageError, KeyError, TypeError):
        return None


def load(file: Path) -> FeatureLists:
    """Read and check the lists.

    Raises:
        DataError: they are missing, cannot be read, are of other definitions, or name what is no column; all
            of it is listed.
    """
    name, _, fold = file.stem.partition(".kfold-")
    hint = f"rank the features: {command(name, 'kfold' if fold else 'auto')}"
    if not file.is_file():
        of_fold = f", fold {fold}," if fold else ""
        raise DataError(f"{file}: data set {name!r}{of_fold} has no lists of top and bottom features", hint)
    try:
        document = yaml_file.read_mapping(file)
    except UsageError as error:
        raise DataError(error.problems, hint) from error
    problems = _problems(document)
    if problems:
        raise DataError([f"{file}: {problem}" for problem in problems], hint)
    return FeatureLists(file, document["origin"], {name: tuple(document[name]) for name in NAMES})


def _problems(document: Mapping[str, Any]) -> list[str]:
    origin = document.get("origin")
    training = origin.get("training") if isinstance(origin, dict) else None
    if not isinstance(origin, dict) or not isinstance(training, dict) or "sha256" not in training:
        return ["origin.training.sha256 is missing: nobody could tell which images the lists have seen"]
    if origin.get("definitions") != DEFINITIONS:
        return [f"not made by version {DEFINITIONS} of the features' definitions"]
    problems = []
    seen: set[str] = set()
    for name in NAMES:
        columns = document.get(name)
        if not isinstance(columns, list):
            problems.append(f"{name} is missing, or no list")
            continue
        for column in columns:
            if column not in COLUMNS:
                problems.append(f"{name}: {column!r} is no column; {did_you_mean(str(column), COLUMNS)}")
            elif column in seen:
                problems.append(f"{name}: {column} stands there a second time")
            else:
                seen.add(column)
    return problems
