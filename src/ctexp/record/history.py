"""A run's history: a row an epoch, in a CSV file that any program opens.

The file is written whole after each epoch, a few kilobytes, so that it is never torn. A resumed run drops the
rows past its checkpoint, because those epochs will be trained again.
"""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import DataError

Row = dict[str, float | None]
"""One epoch: a number a column, None where that epoch has none."""


class History:
    """The rows of `history.csv`, in memory and on disk alike.

    Columns keep the order in which they first came; a row may bring new ones. `epoch` is required and rises.
    Numbers keep every digit; NaN and infinities are kept as such.

    Args:
        path: the file; what it already holds is read and kept.

    Raises:
        DataError: the file is there and is not a history.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = read(path)

    def append(self, row: Mapping[str, float | None]) -> None:
        """Add an epoch's row.

        Raises:
            StorageError: the disk is full or the folder cannot be written; the old file is whole then.
            ValueError: `epoch` is missing or not past the last one.
        """
        numbers = {name: None if value is None else float(value) for name, value in row.items()}
        epoch, last = _epoch(numbers), _epoch(self.rows[-1]) if self.rows else -1.0
        if not epoch > last:
            raise ValueError(f"epoch {epoch:g} cannot follow epoch {last:g} in {self.path.name}")
        self._replace([*self.rows, numbers])

    def truncate_after(self, epoch: int) -> None:
        """Keep the rows up to and including `epoch`; -1 keeps none.

        Raises:
            StorageError: as for `append`.
        """
        kept = [row for row in self.rows if _epoch(row) <= epoch]
        if len(kept) < len(self.rows):
            self._replace(kept)

    def _replace(self, rows: list[Row]) -> None:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        text = io.StringIO()
        table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        if rows:  # else the file is empty, not an empty line
            table.writeheader()
        for row in rows:
            table.writerow({column: _cell(value) for column, value in row.items()})
        files.write_text(self.path, text.getvalue())
        self.rows = rows


def read(path: Path) -> list[Row]:
    """The rows of a history; none where the file is missing or empty.

    Raises:
        DataError: it is not a table of numbers with a column `epoch`; each bad line is named.
    """
    try:
        text = files.read_regular(path).decode()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    lines = text.rstrip().splitlines()  # numbers and metric names: no line break inside a cell
    columns: list[str] | None = None
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            (cells,) = csv.reader([line])
            if columns is not None:
                rows.append(_row(columns, cells))
            elif "epoch" in cells:
                columns = cells
            else:
                raise DataError(f"{path}: no column `epoch` in its first line")
        except (ValueError, csv.Error) as error:
            problems.append(f"{path}: line {number}: {error}")
    if problems:
        raise DataError(problems)
    return rows


def _row(columns: list[str], cells: list[str]) -> Row:
    """A line's numbers by their columns."""
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} cells instead of {len(columns)}")
    row = {name: _number(cell) for name, cell in zip(columns, cells, strict=True)}
    _epoch(row)
    return row


def _epoch(row: Row) -> float:
    """The epoch a row is of."""
    epoch = row.get("epoch")
    if epoch is None or not math.isfinite(epoch):
        raise ValueError("a row has no number in its column `epoch`")
    return epoch


def _cell(value: float | None) -> str:
    """A number with all its digits, whole ones without `.0`; nothing for None."""
    return "" if value is None else repr(value).removesuffix(".0")


def _number(cell: str) -> float | None:
    return None if cell == "" else float(cell)
