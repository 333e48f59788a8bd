"""The named lists of columns: `research/features/<data set>.yaml`, committed, with where they come from.

    origin            how the columns were ranked, on which images, by which thresholds
    top_features      the columns that tell the classes apart, best first
    bottom_features   all others, the negative control
    statistics        of every column

The same images, split and definitions give the same bytes. A list is bound to the training images it was made
from: on others it could have seen what a run validates on.
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
from ctexp.data.radiomics import ranking
from ctexp.data.radiomics.columns import COLUMNS, DEFINITIONS
from ctexp.data.radiomics.ranking import ColumnRank
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


def lists_file(folder: Path, name: str) -> Path:
    """Where the lists of a data set are, in a project's folder of lists."""
    return folder / f"{name}.yaml"


def training_fingerprint(rows: Sequence[ImageRow]) -> str:
    """SHA-256 over ids, contents and classes of the training images: what a ranking was allowed to see."""
    lines = sorted(f"{row.sha256} {row.class_name} {row.image_id}\n" for row in rows)
    return sha256_bytes("".join(lines).encode())


def write(file: Path, selection: Selection, used: int, ranks: Sequence[ColumnRank]) -> FeatureLists:
    """Write the lists that a ranking on the training images of `selection` makes.

    Args:
        file: where to.
        selection: whose training images.
        used: how many of them were ranked by.
        ranks: of all columns, best first.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    training = selection.rows["train"]
    origin = {
        "method": ranking.METHOD,
        "correction": ranking.CORRECTION,
        "threshold": {"corrected_p": ranking.MAX_CORRECTED_P, "epsilon_squared": ranking.MIN_EFFECT},
        "dataset": selection.catalog.name,
        "catalog": selection.catalog.fingerprint,
        "split": {"scheme": selection.scheme, "sha256": selection.sha256},
        "training": {"images": len(training), "used": used, "sha256": training_fingerprint(training)},
        "definitions": DEFINITIONS,
        "ctexp": __version__,
    }
    document = {
        "origin": origin,
        "top_features": [rank.column for rank in ranks if rank.is_top],
        "bottom_features": [rank.column for rank in ranks if not rank.is_top],
        "statistics": {rank.column: _statistics(rank) for rank in ranks},
    }
    about = f"# Written by: {command(selection.catalog.name, selection.scheme)}\n"
    write_text(file, about + yaml_file.dump(document))
    return load(file)


def _statistics(rank: ColumnRank) -> dict[str, float]:
    """As they are written: what the last digits are differs between machines."""
    values = {
        "h": rank.h,
        "p": rank.p,
        "corrected_p": rank.corrected_p,
        "epsilon_squared": rank.effect,
    }
    return {name: float(f"{value:.5g}") for name, value in values.items()}


def load(file: Path) -> FeatureLists:
    """Read and check the lists.

    Raises:
        DataError: they are missing, cannot be read, are of other definitions, or name what is no column; all
            of it is listed.
    """
    hint = f"rank the features: {command(file.stem)}"
    if not file.is_file():
        raise DataError(f"{file}: data set {file.stem!r} has no lists of top and bottom features", hint)
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
