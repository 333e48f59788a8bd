"""The features of one data set: `data/features/<name>.parquet`, one row an image, in catalog order.

    image_id, sha256, window    which image, of which content
    intensity_mean, ...         the fifty columns of `columns`

What the values depend on besides the images stands in the file's metadata. The same images, definitions and
libraries give the same bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ctexp.core.errors import DataError
from ctexp.core.files import replacing
from ctexp.core.wording import many
from ctexp.data import parquet
from ctexp.data.catalog import ImageRow
from ctexp.data.radiomics.columns import COLUMNS, DEFINITIONS, made_by
from ctexp.data.radiomics.store import Key, key_of

_MADE_BY = b"ctexp.made_by"
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("image_id", "sha256", "window")),
        *((name, pa.float64()) for name in COLUMNS),
    ],
    {_MADE_BY: json.dumps(made_by()).encode()},
)


def table_file(data_dir: Path, name: str) -> Path:
    """Where the features of a data set are."""
    return data_dir / "features" / f"{name}.parquet"


def command(name: str, scheme: str = "auto") -> str:
    """What makes a data set's table and lists of features."""
    split = "" if scheme == "auto" else f" --split {scheme}"
    return f"scripts/inv extract-features --dataset {name}{split}"


@dataclass(frozen=True)
class FeatureTable:
    """The features of a data set.

    Attributes:
        file: where they are.
        sha256: of the file.
        places: the row of each image, by its id.
        keys: content and window of each row.
        values: shape (rows, 50), in the order of `COLUMNS`; all finite.
    """

    file: Path
    sha256: str
    places: dict[str, int]
    keys: tuple[Key, ...]
    values: NDArray[np.float64]

    def of(self, rows: Sequence[ImageRow]) -> NDArray[np.float64]:
        """The features of some images, shape (len(rows), 50).

        Raises:
            DataError: images have none, or those of another content.
        """
        absent = [row.image_id for row in rows if row.image_id not in self.places]
        changed = [
            row.image_id
            for row in rows
            if row.image_id in self.places and self.keys[self.places[row.image_id]] != key_of(row)
        ]
        problems = [
            f"{self.file}: {what} {many(len(ids), 'image')}, for example {', '.join(ids[:3])}"
            for what, ids in (("has no features of", absent), ("has features of other content for", changed))
            if ids
        ]
        if problems:
            raise DataError(problems, f"compute them: {command(self.file.stem)}")
        return self.values[[self.places[row.image_id] for row in rows]]


def write(file: Path, rows: Sequence[ImageRow], values: NDArray[np.float64]) -> FeatureTable:
    """Write the features of `rows`, shape (len(rows), 50), atomically.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    columns = [
        [row.image_id for row in rows],
        [row.sha256 for row in rows],
        [row.window for row in rows],
        *values.T,
    ]
    table = pa.Table.from_arrays([pa.array(column) for column in columns], schema=_SCHEMA)
    with replacing(file) as temporary:
        pq.write_table(table, temporary)
    return load(file)


def load(file: Path) -> FeatureTable:
    """Read and check a table.

    Raises:
        DataError: it is missing, damaged, or of other definitions.
    """
    hint = f"compute it: {command(file.stem)}"
    if not file.is_file():
        raise DataError(f"{file}: data set {file.stem!r} has no table of features", hint)
    table, digest = parquet.read(file, hint)
    if _definitions(table.schema) != str(DEFINITIONS):
        raise DataError(f"{file}: not made by version {DEFINITIONS} of the features' definitions", hint)
    if not table.schema.equals(_SCHEMA):
        raise DataError(f"{file}: not the columns of a table of features", hint)
    names = table.select(["image_id", "sha256", "window"]).to_pylist()
    values = np.column_stack([table.column(name).to_numpy() for name in COLUMNS])
    places = {record["image_id"]: place for place, record in enumerate(names)}
    if len(places) < len(names) or not np.isfinite(values).all():
        raise DataError(f"{file}: images stand there twice, or values are missing", hint)
    keys = tuple((record["sha256"], record["window"]) for record in names)
    return FeatureTable(file, digest, places, keys, values)


def _definitions(schema: pa.Schema) -> str | None:
    """Their version by a file's metadata, in which anything may stand."""
    try:
        made = json.loads((schema.metadata or {}).get(_MADE_BY, b""))
    except (ValueError, RecursionError):
        return None
    return made.get("definitions") if isinstance(made, dict) else None
