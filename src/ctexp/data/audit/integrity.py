"""Are the files there, whole, and the ones that were imported; and is anything else there."""

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ctexp.data.audit.findings import Integrity, Problem
from ctexp.data.catalog import Catalog
from ctexp.data.intake.layout import DROPPINGS


def integrity(catalog: Catalog, problems: Sequence[Problem]) -> Integrity:
    """Put together what is wrong with the files and what kinds they are.

    Args:
        catalog: the data set.
        problems: of its images, excluded ones too.
    """
    excluded = {row.image_id for row in catalog.rows if row.excluded}
    why = {problem.image_id: problem.reason for problem in problems}
    used = [row for row in catalog.rows if not row.excluded]
    return Integrity(
        problems=tuple(problem for problem in problems if problem.image_id not in excluded)
        + tuple(_unknown_files(catalog)),
        excluded={image_id: why.get(image_id, "readable") for image_id in sorted(excluded)},
        modes=_tally([row.mode for row in used]),
        file_types=_tally([PurePosixPath(row.path).suffix.lower().removeprefix(".") for row in used]),
    )


def _unknown_files(catalog: Catalog) -> list[Problem]:
    """The files below the raw folder that belong to no image."""
    known = {row.path for row in catalog.rows}
    found = (
        path.relative_to(catalog.raw)
        for path in sorted(catalog.raw.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    )
    return [
        Problem(_printable(path), "unknown", "not in the catalog")
        for path in found
        if path.as_posix() not in known and not _is_dropping(path)
    ]


def _is_dropping(path: Path) -> bool:
    return any(fnmatchcase(part, pattern) for part in path.parts for pattern in DROPPINGS)


def _printable(path: Path) -> str:
    """How a document names a file that anybody may have put there under any name."""
    name = path.as_posix()
    return name if name.isprintable() else ascii(name)


def _tally(values: Sequence[str]) -> dict[str, int]:
    """Value -> how often, the most frequent first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
