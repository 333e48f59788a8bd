"""Which recorded version a data set on disk is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.data.catalog import Catalog
from ctexp.data.versions.lock_file import LOCK, RAW, Lock


@dataclass(frozen=True)
class DvcVersion:
    """A data set's version by DVC's hashes.

    Attributes:
        raw: of the raw folder, `<md5>.dir`; None where no version is known.
        catalog: the MD5 of the catalog file; None likewise.
        reason: why no version is known, one line; empty where it is.
    """

    raw: str | None = None
    catalog: str | None = None
    reason: str = ""


def dvc_version(root: Path, catalog: Catalog) -> DvcVersion:
    """The version of a data set that is recorded for it as it is on disk.

    The catalog names every image by content, so its hash decides whether `dvc.lock` speaks of this set.
    """
    if catalog.raw != root / RAW / catalog.name:
        return DvcVersion(reason=f"not tracked: it lies outside {RAW} of the project")
    try:
        outs = Lock(root).origin(catalog.name).outs
    except DataError as error:
        return DvcVersion(reason=f"not tracked: {'; '.join(error.problems)}")
    raw, known = outs[f"{RAW}/{catalog.name}"], outs[f"{RAW}/{catalog.name}.parquet"]
    if known != hashlib.md5(catalog.file.read_bytes(), usedforsecurity=False).hexdigest():
        return DvcVersion(reason=f"{LOCK} records another version of it")
    return DvcVersion(raw, known)
