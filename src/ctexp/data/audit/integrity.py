"""Are the files there, whole, and the ones that were imported; and is anything else there."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from ctexp.data.audit.findings import Integrity, Problem
from ctexp.data.catalog import Catalog
from ctexp.data.intake.layout import is_dropping, printable


def integrity(catalog: Catalog, problems: Sequence[Problem]) -> Integrity:
    """Put together what is wrong with the files and what kinds they are."""
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
        Problem(printable(path.as_posix()), "unknown", "not in the catalog")
        for path in found
        if path.as_posix() not in known and not any(map(is_dropping, path.parts))
    ]


def _tally(values: Sequence[str]) -> dict[str, int]:
    """Value -> how often, the most frequent first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
