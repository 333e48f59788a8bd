"""The inputs of a run: what its manifest says of them, and whether they are still the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ctexp.config.schema import Settings
from ctexp.core.errors import DataError
from ctexp.core.paths import feature_lists_folder, shown
from ctexp.data.catalog import ImageRow
from ctexp.data.selection import Selection, select
from ctexp.data.splits.schemes import OF_THE_CATALOG
from ctexp.data.splits.split_file import split_file
from ctexp.data.versions.version import dvc_version
from ctexp.record.manifest import Dataset, DvcVersion, Grey

if TYPE_CHECKING:
    from ctexp.data.radiomics.inputs import FeatureInputs


def describe(selection: Selection, root: Path, features: "FeatureInputs | None" = None) -> Dataset:
    """What a manifest says of the images of a run that is about to begin."""
    counts = selection.counts()
    totals = {split: sum(classes.values()) for split, classes in counts.items()}
    return Dataset(
        name=selection.catalog.name,
        catalog_sha256=selection.catalog.sha256,
        dvc=DvcVersion(**vars(dvc_version(root, selection.catalog))),
        split=selection.scheme,
        fold=selection.fold,
        sample=selection.sample,
        split_sha256=selection.sha256,
        rows=counts,
        left_out=selection.left_out(),
        split_shares={split: round(total / sum(totals.values()), 4) for split, total in totals.items()},
        class_shares={
            split: {name: round(count / totals[split], 4) for name, count in classes.items()}
            for split, classes in counts.items()
            if totals[split]
        },
        grey={split: _grey(rows) for split, rows in selection.rows.items() if rows},
        leaks=(leaks := (*selection.leaks, *(features.warnings if features else ()))),
        warnings=(*leaks, *selection.warnings),
        synthetic=selection.catalog.synthetic,
    )


def same_data(run_id: str, dataset: Dataset, data_dir: Path, splits: Path) -> Selection:
    """Select what a run's manifest says, by the scheme it was resolved to then.

    Raises:
        DataError: the data set or its split is not what the run began with, or files are missing or changed.
    """
    way = f"bring the old file back (git log -- {shown(splits / dataset.name)}), or train anew"
    file = split_file(splits, dataset.name, dataset.split)
    if dataset.split not in OF_THE_CATALOG and not file.exists():
        raise DataError(f"{run_id}: {shown(file)}, the split that it began with, is gone", way)
    selection = select(data_dir, splits, dataset.name, dataset.split, dataset.fold, dataset.sample)
    if dataset.catalog_sha256 != selection.catalog.sha256:
        raise DataError(
            f"{run_id}: the data set {dataset.name} is not the one it began with",
            "bring the old data set back, or train anew",
        )
    if dataset.split_sha256 not in {None, selection.sha256}:
        raise DataError(
            f"{run_id}: the {dataset.split} split of {dataset.name} is not the one it began with",
            way,
        )
    return selection


def features_of(
    settings: Settings, selection: Selection, data_dir: Path, root: Path
) -> "FeatureInputs | None":
    """The features that a configuration asks for; None where the network looks at the image alone.

    Raises:
        DataError: their table or list is missing, damaged or of other images.
    """
    if settings.features.name == "none":
        return None

    from ctexp.data.radiomics.inputs import FeatureInputs  # with all that measures them: 1 s

    return FeatureInputs.load(data_dir, feature_lists_folder(root), selection, settings.features.name)


def refuse_other_features(
    run_id: str, recorded: Mapping[str, Any] | None, found: "FeatureInputs | None"
) -> None:
    """Refuse features that are not those a run began with.

    Raises:
        DataError: columns or values differ.
    """
    if found is not None and dict(found.record) != dict(recorded or {}):
        raise DataError(
            f"{run_id}: the features are not those it began with",
            "bring the old table and list of features back (dvc checkout, git log), or train anew",
        )


def _grey(rows: Sequence[ImageRow]) -> Grey:
    """Mean and deviation over all pixels, from those of each image: the variance within and between them."""
    pixels = np.array([row.width * row.height for row in rows])
    means, stds = np.array([[row.mean, row.std] for row in rows]).T
    mean = np.average(means, weights=pixels)
    variance = np.average(stds**2 + (means - mean) ** 2, weights=pixels)
    return Grey(mean=round(float(mean), 3), std=round(float(variance) ** 0.5, 3))
