"""The data of two runs: set, version, split, and the images that came, went or changed, by class."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from ctexp.core import files
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError
from ctexp.core.wording import some
from ctexp.data import catalog as catalogs
from ctexp.record.manifest import Dataset, Manifest
from ctexp.reproduction.rows import ABSENT, Row, differing

_SHOWN = 12


def data(one: Manifest, other: Manifest, root: Path, data_dir: Path) -> tuple[list[Row], list[str]]:
    """In what the data differ.

    Earlier catalogs are looked for in the DVC of `root`.

    Returns:
        Rows: name, hashes, split, images by split and class, features, first weights; then the images of one
        that the other lacks, by class. And what could not be looked at, one line each.
    """
    rows = [
        *differing(_given(_facts(one.dataset)), _given(_facts(other.dataset))),
        *differing(flattened(one.dataset.rows), flattened(other.dataset.rows)),
        *differing(_given(_beside(one)), _given(_beside(other))),
    ]
    if one.dataset.catalog_sha256 == other.dataset.catalog_sha256:
        return rows, []
    known = [_images(manifest.dataset, root, data_dir) for manifest in (one, other)]
    if known[0] is None or known[1] is None:
        return rows, ["which images differ is not known: a catalog is neither here nor in DVC's cache"]
    return rows + _moved(known[0], known[1]), []


def _given(said: Mapping[str, object]) -> dict[str, object]:
    """Without what a run has not."""
    return {what: its for what, its in said.items() if its is not None}


def _facts(dataset: Dataset) -> dict[str, object]:
    version = dataset.dvc
    return {
        "data set": dataset.name,
        "catalog": f"sha256 {dataset.catalog_sha256[:_SHOWN]}",
        "version by DVC": version.raw if version else None,
        "split": dataset.split,
        "fold": dataset.fold,
        "sample": dataset.sample,
        "split's text": dataset.split_sha256 and f"sha256 {dataset.split_sha256[:_SHOWN]}",
    }


def _beside(manifest: Manifest) -> dict[str, object]:
    features = manifest.features or {}
    columns = features.get("columns")
    return {
        "features": features.get("name", "none"),
        "columns": len(columns) if isinstance(columns, list) else None,
        "table of features": features.get("table_sha256"),
        "first weights": manifest.weights.source,
        "sha256 of the first weights": manifest.weights.sha256,
    }


def _images(dataset: Dataset, root: Path, data_dir: Path) -> Mapping[str, tuple[str, str]] | None:
    """Class and content of each image by id, from a catalog of these very bytes; None where there is none."""
    version = dataset.dvc.catalog if dataset.dvc else None
    places = [catalogs.catalog_file(data_dir, dataset.name)]
    if version:
        places.append(root / ".dvc" / "cache" / "files" / "md5" / version[:2] / version[2:])
    for file in places:
        if file.is_file() and files.sha256_file(file) == dataset.catalog_sha256:
            return _rows(file, dataset.name)
    return None


def _rows(file: Path, name: str) -> Mapping[str, tuple[str, str]] | None:
    """What a catalog says, wherever it lies; None where it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        link = catalogs.catalog_file(Path(folder), name)
        link.parent.mkdir()
        link.symlink_to(file.resolve())
        try:
            rows = catalogs.read(Path(folder), name).rows
        except CtexpError:
            return None
    return {row.image_id: (row.class_name, row.sha256) for row in rows if not row.excluded}


def _moved(one: Mapping[str, tuple[str, str]], other: Mapping[str, tuple[str, str]]) -> list[Row]:
    """How many images only one has, by class, and which have other bytes or another class."""
    both = one.keys() & other.keys()
    alone = differing(_by_class(one, one.keys() - both), _by_class(other, other.keys() - both))
    changed = sorted(image for image in both if one[image] != other[image])
    if not changed:
        return alone
    return [*alone, Row("images that changed", ABSENT, f"{len(changed)}: {some(changed)}")]


def _by_class(images: Mapping[str, tuple[str, str]], chosen: Iterable[str]) -> dict[str, int]:
    counts = Counter(images[image][0] for image in chosen)
    return {f"images of {name} that it alone has": count for name, count in sorted(counts.items())}
