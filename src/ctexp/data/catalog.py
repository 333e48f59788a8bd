"""The catalog: one parquet file beside the raw folder, one row an image; what is known of an image is there.

The images lie unchanged in `data/raw/<name>/`, the catalog is `data/raw/<name>.parquet`. What people know of
an image besides (patient, date, scanner, ...) stands in columns of text named `meta.<name>`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctexp.core.classes import CLASSES, SPLITS
from ctexp.core.errors import DataError
from ctexp.core.files import replacing, sha256_bytes, sha256_file
from ctexp.core.locks import FileLock
from ctexp.core.names import check_id, did_you_mean
from ctexp.data import parquet
from ctexp.data.parallel import each
from ctexp.data.versions.lock_file import LOCK, is_recorded

SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("path", pa.string()),
        ("split", pa.string()),
        ("class", pa.string()),
        ("group", pa.string()),
        ("excluded", pa.bool_()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mode", pa.string()),
        ("window", pa.string()),
        ("pixels", pa.string()),
        ("mean", pa.float64()),
        ("std", pa.float64()),
    ]
)
"""The columns every catalog has, in order; none may hold a null. Those of `META` follow."""

META = "meta."
"""What the names of the columns begin with that people brought; text, null where nothing is known."""

_SYNTHETIC = b"ctexp.synthetic"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageRow:
    """One image.

    Attributes:
        image_id: its name in every record: its path inside the data set when it was imported.
        path: where it lies now, relative to the raw folder.
        split: train, val or test.
        class_name: one of `CLASSES`.
        group: images of one group belong on one side of a split: copies, near copies, one patient's.
        excluded: left out of every split, by the user's decision.
        bytes: the file's size.
        sha256: of the file's bytes.
        width: pixels; 0, as all that follows is empty, where an excluded file cannot be decoded.
        height: pixels.
        mode: Pillow's name of the file's mode, for example `RGBA`; DICOM's photometric interpretation.
        window: how stored values become grey, `LEVEL,WIDTH`; empty where 8-bit levels are taken as they are.
        pixels: SHA-256 of shape and grey levels after decoding.
        mean: of the grey levels, 0 to 255.
        std: of the grey levels.
        meta: what people know of it, by name; nothing for what is unknown.
    """

    image_id: str
    path: str
    split: str
    class_name: str
    group: str
    excluded: bool
    bytes: int
    sha256: str
    width: int
    height: int
    mode: str
    window: str
    pixels: str
    mean: float
    std: float
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> int:
        """The class's index in `CLASSES`."""
        return CLASSES.index(self.class_name)


@dataclass(frozen=True)
class Catalog:
    """A data set.

    Attributes:
        raw: the folder of its images.
        file: the catalog.
        rows: its images, in the order of their ids.
        sha256: of the catalog file.
        synthetic: whether the images were drawn by a program and show no patient.
    """

    name: str
    raw: Path
    file: Path
    rows: tuple[ImageRow, ...]
    sha256: str
    synthetic: bool = False

    @property
    def title(self) -> str:
        """The name as people are shown it: `phantom (synthetic)`."""
        return f"{self.name} (synthetic)" if self.synthetic else self.name

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every image's id and content: the same for the same images, whatever else is known."""
        return sha256_bytes("".join(f"{row.sha256} {row.image_id}\n" for row in self.rows).encode())

    def verify_files(self, rows: Sequence[ImageRow], full: bool = False) -> None:
        """Check that the files are the ones that were imported.

        Args:
            rows: which images.
            full: hash their content too; else only existence and size are looked at.

        Raises:
            DataError: some are not; every one is named. The same import again restores them.
        """
        hint = f"put the files back, or import the set anew: scripts/inv data-import PATH --name {self.name}"
        each(partial(_check_file, self.raw, full), rows, hint=hint)

    def damaged(self) -> list[ImageRow]:
        """The images whose files are missing, changed or unreadable."""
        sound = each(partial(_is_sound, self.raw), self.rows)
        return [row for row, its in zip(self.rows, sound, strict=True) if not its]


def _check_file(raw: Path, full: bool, row: ImageRow) -> None:
    file = raw / row.path
    try:
        size = file.stat().st_size
        changed = full and size == row.bytes and sha256_file(file) != row.sha256
    except OSError as error:
        raise DataError(f"{file}: {(error.strerror or 'unreadable').lower()}") from error
    if size != row.bytes:
        raise DataError(f"{file}: {size} bytes, the catalog says {row.bytes}")
    if changed:
        raise DataError(f"{file}: its content differs from what was imported")


def _is_sound(raw: Path, row: ImageRow) -> bool:
    try:
        _check_file(raw, True, row)
    except DataError:
        return False
    return True


def per_class(rows: Sequence[ImageRow]) -> dict[str, int]:
    """Images of each class, zeros included."""
    counts = Counter(row.class_name for row in rows)
    return {name: counts[name] for name in CLASSES}


def raw_folder(data_dir: Path, name: str) -> Path:
    """Where a data set's images lie."""
    return data_dir / "raw" / name


def catalog_file(data_dir: Path, name: str) -> Path:
    """Where a data set's catalog lies: beside its raw folder."""
    return data_dir / "raw" / f"{name}.parquet"


def import_lock(data_dir: Path) -> FileLock:
    """Held by whoever puts data sets into place."""
    return FileLock(data_dir / "raw" / ".import.lock", f"importing into {data_dir}")


def available(data_dir: Path) -> list[str]:
    """The names of the data sets that have a catalog."""
    return sorted(file.stem for file in (data_dir / "raw").glob("[!.]*.parquet"))


def write(data_dir: Path, name: str, rows: Sequence[ImageRow], *, synthetic: bool = False) -> Catalog:
    """Write the catalog of `name` atomically, its rows in the order of their ids.

    That a set is synthetic stands in the file's metadata, since it is true of every row.

    Raises:
        UsageError: `name` may not name a data set.
        DataError: the rows are not a valid catalog.
        StorageError: the disk is full or the folder cannot be written.
    """
    check_id(name, "data set")
    file = catalog_file(data_dir, name)
    ordered = tuple(sorted(rows, key=lambda row: row.image_id))
    _refuse(file, _row_problems(ordered))
    table = pa.Table.from_pylist([_as_record(row) for row in ordered], schema=_schema_of(ordered))
    if synthetic:
        table = table.replace_schema_metadata({_SYNTHETIC: b"true"})
    with replacing(file) as temporary:
        pq.write_table(table, temporary)
        digest = sha256_file(temporary)
    return Catalog(name, raw_folder(data_dir, name), file, ordered, digest, synthetic)


def load(data_dir: Path, name: str) -> Catalog:
    """Read and check the catalog of `name`.

    Raises:
        UsageError: `name` may not name a data set.
        DataError: there is no such data set, its folder is gone, or the catalog is not valid; every problem
            is listed.
    """
    check_id(name, "data set")
    file, raw = catalog_file(data_dir, name), raw_folder(data_dir, name)
    if not file.is_file():
        raise DataError(f"{file}: there is no data set {name!r}", _way_to(data_dir, name))
    if not raw.is_dir():
        raise DataError(f"{raw}: the images of data set {name!r} are gone", _way_to(data_dir, name))
    return read(data_dir, name)


def read(data_dir: Path, name: str) -> Catalog:
    """`load`, whether the folder of the images is there or not.

    Raises:
        DataError: the catalog is not valid; every problem is listed.
    """
    file, raw = catalog_file(data_dir, name), raw_folder(data_dir, name)
    anew = f"move {file} and {raw} away, then import the set anew: scripts/inv data-import PATH --name {name}"
    table, digest = parquet.read(file, anew)
    _refuse(file, _column_problems(table), anew)
    rows = tuple(_from_record(record) for record in table.to_pylist())
    _refuse(file, _row_problems(rows), anew)
    synthetic = _SYNTHETIC in (table.schema.metadata or {})
    return Catalog(name, raw, file, rows, digest, synthetic)


def _way_to(data_dir: Path, name: str) -> str:
    """How to get the data set that is missing."""
    if name == "phantom":
        return "make it: scripts/inv data-phantom"
    if is_recorded(data_dir.parent, name):
        return f"{LOCK} records it, fetch it: scripts/inv data-pull --dataset {name}"
    near = did_you_mean(name, set(available(data_dir)) - {name})
    anew = "or use the synthetic set: data=phantom, --dataset phantom"
    way = f"import it: scripts/inv data-import PATH --name {name}; {anew}"
    return f"{near} {way}" if near.startswith("did") else way


def _refuse(file: Path, problems: Sequence[str], hint: str = "") -> None:
    if problems:
        raise DataError([f"{file}: {problem}" for problem in problems], hint)


def _column_problems(table: pa.Table) -> list[str]:
    names = Counter(table.column_names)
    problems = [
        f"column {name!r} is unknown"
        for name in names
        if name not in SCHEMA.names and not name.startswith(META)
    ]
    problems += [f"column {name!r} stands {count} times" for name, count in names.items() if count > 1]
    for fixed in SCHEMA:
        if fixed.name not in names:
            problems.append(f"column {fixed.name!r} is missing")
        elif names[fixed.name] == 1:
            column = table.column(fixed.name)
            if column.type != fixed.type:
                problems.append(f"column {fixed.name!r} is {column.type}, not {fixed.type}")
            elif column.null_count:
                problems.append(f"column {fixed.name!r} has {column.null_count} nulls")
    problems += [
        f"column {name!r} is {table.column(name).type}, not string"
        for name, count in names.items()
        if name.startswith(META) and count == 1 and table.column(name).type != pa.string()
    ]
    return problems


def _row_problems(rows: Sequence[ImageRow]) -> list[str]:
    problems = [] if rows else ["no rows"]
    ids = Counter(row.image_id for row in rows)
    problems += [f"{image_id}: listed {count} times" for image_id, count in ids.items() if count > 1]
    for row in rows:
        problems += [f"{row.image_id}: {problem}" for problem in _problems_of(row)]
    return problems


def _problems_of(row: ImageRow) -> list[str]:
    checks = {
        f"split {row.split!r} is none of {', '.join(SPLITS)}": row.split in SPLITS,
        f"class {row.class_name!r} is none of {', '.join(CLASSES)}": row.class_name in CLASSES,
        f"path {row.path!r} leaves the raw folder": _stays_inside(row.path),
        "the image id is empty": bool(row.image_id),
        "the group is empty": bool(row.group),
        "sha256 is not 64 hexadecimal digits": bool(_SHA256.fullmatch(row.sha256)),
        "bytes, width and height must be positive": row.excluded or min(row.bytes, row.width, row.height) > 0,
        "pixels is not 64 hexadecimal digits": row.excluded or bool(_SHA256.fullmatch(row.pixels)),
        "mean and std must be grey levels": 0 <= row.mean <= 255 and 0 <= row.std <= 255,
    }
    return [problem for problem, holds in checks.items() if not holds]


def _stays_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts and "\0" not in path


def _schema_of(rows: Sequence[ImageRow]) -> pa.Schema:
    """The columns of these rows: the fixed ones, then what people know, by name."""
    names = sorted({name for row in rows for name in row.meta})
    return pa.schema([*SCHEMA, *((f"{META}{name}", pa.string()) for name in names)])


def _as_record(row: ImageRow) -> dict[str, Any]:
    fields = dict(vars(row))
    fields["class"] = fields.pop("class_name")
    return fields | {f"{META}{name}": value for name, value in fields.pop("meta").items()}


def _from_record(record: dict[str, Any]) -> ImageRow:
    fields = {name: value for name, value in record.items() if name in SCHEMA.names}
    meta = {
        name.removeprefix(META): value
        for name, value in record.items()
        if name.startswith(META) and value is not None
    }
    return ImageRow(class_name=fields.pop("class"), meta=meta, **fields)
