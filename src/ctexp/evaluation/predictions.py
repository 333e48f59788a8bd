"""What a model said of each image: the table from which every later number is computed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.core.files import replacing
from ctexp.core.wording import many
from ctexp.evaluation.scores import softmax

if TYPE_CHECKING:
    import pyarrow as pa

_TEXTS = ("image_id", "sha256", "group")
_LOGITS = tuple(f"logit_{name}" for name in CLASSES)
_PROBABILITIES = tuple(f"prob_{name}" for name in CLASSES)
COLUMNS = (*_TEXTS, "label", *_LOGITS, *_PROBABILITIES)
"""The columns of `predictions_<split>.parquet`, in order."""

_SHOWN = 5  # bad rows named per column; a damaged file need not fill the screen


@dataclass(frozen=True, eq=False)
class Predictions:
    """One row an image, in the order of the split.

    Attributes:
        image_id: the image's path inside its data set; unique.
        sha256: of the image file's bytes.
        group: images of one group are look-alikes, not independent.
        label: the true class, an index into `CLASSES`, int64 `(N,)`.
        logits: uncalibrated, float32 `(N, 4)`.
    """

    image_id: tuple[str, ...]
    sha256: tuple[str, ...]
    group: tuple[str, ...]
    label: NDArray[np.int64]
    logits: NDArray[np.float32]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of the logits, `(N, 4)`."""
        return softmax(self.logits)

    @property
    def groups(self) -> NDArray[np.int64]:
        """The group of each image as a number, 0..G-1 without gaps, `(N,)`."""
        return np.unique(np.array(self.group), return_inverse=True)[1].astype(np.int64)

    def same_images(self, other: "Predictions") -> bool:
        """Whether another table is about the same images in the same order."""
        return np.array_equal(self.label, other.label) and all(
            getattr(self, name) == getattr(other, name) for name in _TEXTS
        )

    def at(self, rows: NDArray[np.int64]) -> "Predictions":
        """The rows at these places, in their order."""
        chosen = rows.tolist()
        return Predictions(
            image_id=tuple(self.image_id[row] for row in chosen),
            sha256=tuple(self.sha256[row] for row in chosen),
            group=tuple(self.group[row] for row in chosen),
            label=self.label[rows],
            logits=self.logits[rows],
        )

    def sorted(self) -> "Predictions":
        """The same rows in the order of their ids; the table itself where they are."""
        order = sorted(range(len(self.image_id)), key=self.image_id.__getitem__)
        return self if order == list(range(len(order))) else self.at(np.array(order))

    def of(self, image_ids: Collection[str]) -> "Predictions":
        """The rows of these images, in their order here."""
        return self.at(np.flatnonzero([image_id in image_ids for image_id in self.image_id]))

    def write(self, path: Path) -> None:
        """Replace `path` by this table as parquet, atomically; equal tables give equal bytes.

        Raises:
            DataError: the table is one that `read` would refuse, for example with a logit that is not finite.
            StorageError: the disk is full or the folder cannot be written.
        """
        import pyarrow as pa
        from pyarrow import parquet

        problems = _problems(path, self)
        if problems:
            raise DataError(problems, "nothing was written")
        columns = [
            *(_strings(getattr(self, name)) for name in _TEXTS),
            _numbers(self.label, pa.int64()),
            *(_numbers(column, pa.float32()) for column in self.logits.T),
            *(_numbers(column, pa.float64()) for column in self.probabilities.T),
        ]
        with replacing(path) as temporary:
            table = pa.table(columns, names=list(COLUMNS))
            parquet.write_table(table, temporary, compression="zstd", write_page_checksum=True)

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """Read and check a table that `write` made.

        Raises:
            DataError: the file is missing, damaged, or holds what no model run can have written; one line for
                each problem, naming file, column and row (from 0).
        """
        values = _columns(path)
        found = cls(
            image_id=tuple(values["image_id"]),
            sha256=tuple(values["sha256"]),
            group=tuple(values["group"]),
            label=values["label"],
            logits=np.stack([values[name] for name in _LOGITS], axis=1),
        )
        problems = _problems(path, found)
        if not problems:
            stored = np.stack([values[name] for name in _PROBABILITIES], axis=1)
            wrong = ~np.isclose(stored, found.probabilities, rtol=0, atol=1e-6)
            for column, name in enumerate(_PROBABILITIES):
                what = "is not the softmax of the logits"
                problems += _cells(path, name, wrong[:, column], stored[:, column], what)
        if problems:
            raise DataError(problems)
        return found


def _strings(values: Sequence[str]) -> "pa.Array":
    """A column of text, by its buffers: `pa.array` imports pandas first, for a quarter of a second."""
    import pyarrow as pa

    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *(len(value) for value in encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def _numbers(values: NDArray[Any], kind: "pa.DataType") -> "pa.Array":
    """A column of numbers, by its buffer."""
    import pyarrow as pa

    content = np.ascontiguousarray(values, dtype=kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(content)])


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    """The file's columns as arrays, of the right names, order and types, without empty cells."""
    import pyarrow as pa
    from pyarrow import parquet

    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        # Not read_table, which takes a folder named `a=b` on the way for one more column.
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read()
        if tuple(table.column_names) != COLUMNS:
            raise DataError(_column_problems(path, table.column_names))
        kinds = dict.fromkeys(COLUMNS, pa.float64()) | dict.fromkeys(_TEXTS, pa.string())
        kinds |= {"label": pa.int64()} | dict.fromkeys(_LOGITS, pa.float32())
        problems = [
            f"{path}: column {name} is {table.schema.field(name).type}, not {kind}"
            for name, kind in kinds.items()
            if table.schema.field(name).type != kind
        ]
        problems += [f"{path}: column {name} has empty cells" for name in COLUMNS if table[name].null_count]
        if problems:
            raise DataError(problems)
        return {name: _array(table[name]) for name in COLUMNS}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as parquet ({error})") from error


def _array(column: "pa.ChunkedArray") -> NDArray[Any]:
    """A column without empty cells; `to_numpy` imports pandas first, for half a second."""
    import pyarrow as pa

    if column.type == pa.string():
        return np.array(column.to_pylist(), dtype=object)
    return np.from_dlpack(column.combine_chunks())


def _column_problems(path: Path, names: list[str]) -> list[str]:
    """What is wrong with a table's columns: missing, unknown, or in another order."""
    problems = [f"{path}: column {name} is missing" for name in COLUMNS if name not in names]
    problems += [f"{path}: column {name} is unknown" for name in names if name not in COLUMNS]
    return problems or [f"{path}: the columns are in another order than {', '.join(COLUMNS)}"]


def _problems(path: Path, table: Predictions) -> list[str]:
    """Everything that makes a table's content impossible."""
    if not table.image_id:
        return [f"{path}: no rows"]
    ids = np.array(table.image_id, dtype=object)
    first = np.zeros(len(ids), dtype=bool)
    first[np.unique(ids, return_index=True)[1]] = True
    problems = _cells(path, "image_id", ~first, ids, "stands in an earlier row too")
    outside = (table.label < 0) | (table.label >= len(CLASSES))
    problems += _cells(path, "label", outside, table.label, f"is not a class, 0 to {len(CLASSES) - 1}")
    for column, name in enumerate(_LOGITS):
        values = table.logits[:, column]
        problems += _cells(path, name, ~np.isfinite(values), values, "is not finite")
    return problems


def _cells(path: Path, column: str, wrong: NDArray[np.bool_], values: NDArray[Any], what: str) -> list[str]:
    """One line for each of the first wrong cells of a column, and one for the rest."""
    rows = np.flatnonzero(wrong)
    lines = [f"{path}: column {column}, row {row}: {values[row]} {what}" for row in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        lines.append(f"{path}: column {column}: {many(len(rows) - _SHOWN, 'more row')} with the same problem")
    return lines
