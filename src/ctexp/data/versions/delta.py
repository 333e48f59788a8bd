"""The catalog as a Delta table, for those who keep one: a version of it for each change of the catalog.

The table is a copy that others can read; ctexp goes by the catalog. Each version says in its commit which
catalog it holds, by the SHA-256 that the manifests of runs have too.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ctexp.core import extras
from ctexp.core.errors import Busy, CtexpError, PreflightError, UsageError
from ctexp.data import parquet
from ctexp.data.catalog import Catalog

CATALOG = "ctexp.catalog_sha256"
"""What a version of the table is known by, in the metadata of its commit."""

SYNTHETIC = "ctexp.synthetic"
"""Whether its images show no patient, there too: `true` or `false`."""

_NO_CREDENTIALS = re.compile("loading credentials|no credentials found")
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|↳")


@dataclass(frozen=True)
class Kept:
    """What became of a catalog.

    Attributes:
        version: of the table, that holds it.
        is_new: whether it was made now; the newest held it already where not.
    """

    version: int
    is_new: bool


def keep(catalog: Catalog, where: str) -> Kept:
    """Have the newest version of a table hold a catalog.

    Args:
        catalog: the data set's.
        where: the table's folder, or its URL (`s3://…`); what that needs comes from the environment.

    Raises:
        PreflightError: `deltalake` is not installed, or the table cannot be read or written.
        UsageError: the table there is another's, or the folder holds something else.
        DataError: the catalog has changed since it was read.
        Busy: somebody else has written the table meanwhile.
    """
    os.environ.setdefault("RUST_LOG", "error")  # else it tells on the side what its errors say again
    try:
        import deltalake
    except ImportError as error:
        raise PreflightError(
            f"a Delta table needs deltalake, which is not installed ({error})", extras.install("delta")
        ) from error
    table = _table(catalog)
    try:
        newest = _newest(where)
        if newest is None:
            _refuse_foreign_files(where)
        else:
            _refuse_others(newest, catalog.name, where)
            if newest.history(1)[0].get(CATALOG) == catalog.sha256:
                return Kept(newest.version(), is_new=False)
        marks = {CATALOG: catalog.sha256, SYNTHETIC: str(catalog.synthetic).lower()}
        deltalake.write_deltalake(
            newest or where,
            table,
            mode="overwrite",
            schema_mode="overwrite",
            name=catalog.name,
            # Of two who write at once the second is to look again: it may hold the same, or an older one.
            commit_properties=deltalake.CommitProperties(custom_metadata=marks, max_commit_retries=0),
        )
        written: int = deltalake.DeltaTable(where).version()
    except deltalake.exceptions.CommitFailedError as error:
        raise Busy(f"{where}: somebody else has written it meanwhile", "try again") from error
    except (deltalake.exceptions.DeltaError, OSError) as error:
        raise _unusable(where, error) from error
    return Kept(written, is_new=True)


def _table(catalog: Catalog) -> pa.Table:
    """The catalog's columns and rows, as its file has them."""
    table, digest = parquet.read(catalog.file, "try again")
    if digest != catalog.sha256:
        raise Busy(f"{catalog.file}: somebody else has changed it meanwhile", "try again")
    return table


def _newest(where: str) -> Any:
    """The table as it is; None where there is none."""
    import deltalake

    try:
        return deltalake.DeltaTable(where)
    except deltalake.exceptions.TableNotFoundError:
        return None


def _refuse_others(table: Any, name: str, where: str) -> None:
    if (its := table.metadata().name) != name:
        whose = (
            f"the table of data set {its!r}" if CATALOG in table.history(1)[0] else "a table of somebody else"
        )
        raise UsageError(f"{where}: {whose}; it would be overwritten", "name a place of its own for each set")


def _refuse_foreign_files(where: str) -> None:
    """A table would lie between them. Only folders of this machine are looked into."""
    folder = Path(where.removeprefix("file://"))
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{where}: holds files, and no Delta table", "name a folder that is new or empty")


def _unusable(where: str, error: Exception) -> CtexpError:
    said = " ".join(_DECORATION.sub("", str(error)).split())
    if _NO_CREDENTIALS.search(said):
        return PreflightError(
            f"{where}: there are no credentials for it",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return PreflightError(
        f"{where}: the Delta table cannot be used: {said}",
        "see the place, and what the environment says of it: docs/data.md, Delta",
    )
