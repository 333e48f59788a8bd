"""Features as a network takes them: the chosen columns, standardised by the training images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError, UsageError
from ctexp.core.names import did_you_mean
from ctexp.data.radiomics import lists, table
from ctexp.data.radiomics.columns import COLUMNS, DEFINITIONS
from ctexp.data.radiomics.lists import FeatureLists
from ctexp.data.selection import Selection

ALL = "all_features"

LIMIT = 10.0
"""Standardised values end here: one odd image must not decide a step."""

_CONSTANT = 1e-12
"""A column whose standard deviation is this share of its mean or less varies by rounding alone."""


@dataclass(frozen=True)
class FeatureInputs:
    """The features of a selection.

    Attributes:
        columns: which, k of them.
        values: per split the standardised features of its images, shape (n, k), in the selection's order:
            (value - mean) / std, cut off at ±`LIMIT`; 0 throughout for a column that is constant in training.
        record: what a run should remember: name, columns, origin, definitions, table_sha256, mean, std.
        warnings: what a reader of figures on these features should know, one line each.
    """

    columns: tuple[str, ...]
    values: Mapping[str, NDArray[np.float32]]
    record: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, data_dir: Path, lists_folder: Path, selection: Selection, name: str) -> "FeatureInputs":
        """Read the features of the selected images.

        Raises:
            UsageError: there is no such list.
            DataError: the table or list is missing, damaged or stale, knows other images or contents, is
                empty, or was ranked on other training images.
        """
        if name not in (ALL, *lists.NAMES):
            raise UsageError(
                f"features: there are no {name!r}", did_you_mean(name, (ALL, *lists.NAMES, "none"))
            )
        dataset = selection.catalog.name
        found = table.load(table.table_file(data_dir, dataset))
        values = {split: found.of(rows) for split, rows in selection.rows.items()}
        columns, origin, warnings = COLUMNS, None, tuple[str, ...]()
        if name != ALL:
            chosen = lists.load(lists.lists_file(lists_folder, dataset, selection.fold))
            _refuse_foreign(chosen, name, selection)
            columns, origin, warnings = (
                chosen.columns[name],
                chosen.origin,
                _warnings(chosen, name, selection),
            )
        places = [COLUMNS.index(column) for column in columns]
        training = values["train"][:, places]
        mean, std = training.mean(axis=0), training.std(axis=0)
        return cls(
            columns,
            {split: _standardised(part[:, places], mean, std) for split, part in values.items()},
            {
                "name": name,
                "columns": list(columns),
                "origin": origin,
                "definitions": DEFINITIONS,
                "table_sha256": found.sha256,
                "mean": mean.tolist(),
                "std": std.tolist(),
            },
            warnings,
        )


def standardise(measured: NDArray[np.float64], record: Mapping[str, Any]) -> NDArray[np.float32]:
    """The features of any images as a trained network takes them.

    Args:
        measured: all fifty columns, shape (n, 50), in the order of `COLUMNS`.
        record: what the run's manifest keeps of its features.

    Returns:
        Shape (n, k), as `FeatureInputs.values`.

    Raises:
        DataError: the record is of other definitions of the columns.
    """
    if record["definitions"] != DEFINITIONS:
        raise DataError(
            f"the network was trained on version {record['definitions']} of the features' definitions, "
            f"this is version {DEFINITIONS}",
            "use the release that trained it, or train anew",
        )
    places = [COLUMNS.index(column) for column in record["columns"]]
    return _standardised(measured[:, places], np.array(record["mean"]), np.array(record["std"]))


def scale(mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
    """What to divide by: infinity where a column is constant, which makes it 0."""
    return np.where(std > _CONSTANT * np.abs(mean), std, np.inf)


def _refuse_foreign(chosen: FeatureLists, name: str, selection: Selection) -> None:
    """Refuse a list that other images made, and one that holds nothing.

    A list that validation images had a say in is bound to those too: other ones may be among this split's
    test images.

    Raises:
        DataError: so it is.
    """
    scheme = selection.scheme
    way = f"rank anew: {table.command(selection.catalog.name, scheme)}; or use features=all_features"
    if chosen.origin["training"]["sha256"] != lists.fingerprint(selection.rows["train"]):
        raise DataError(
            f"{chosen.file}: ranked on other images than this {scheme} split trains on; "
            "they may be among those it validates on",
            way,
        )
    if chosen.origin.get("validation") is not None and not chosen.has_seen(selection.rows["val"]):
        raise DataError(
            f"{chosen.file}: ranked by other validation images than this {scheme} split's; "
            "they may be among those it is tested on",
            way,
        )
    if not chosen.columns[name]:
        raise DataError(f"{chosen.file}: {name} is empty", "use features=all_features or features=none")


def _warnings(chosen: FeatureLists, name: str, selection: Selection) -> tuple[str, ...]:
    """What choosing columns by validation does to figures on validation."""
    if not chosen.has_seen(selection.rows["val"]):
        return ()
    return (
        f"features={name}: chosen by what counts on these very validation images; "
        "validation figures are optimistic for top_features, pessimistic for bottom_features",
    )


def _standardised(
    values: NDArray[np.float64], mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float32]:
    return np.clip((values - mean) / scale(mean, std), -LIMIT, LIMIT).astype(np.float32)
