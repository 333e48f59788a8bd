"""The audit from a loaded catalog to what was found, and the files that it leaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ctexp.core.errors import Busy
from ctexp.core.files import sha256_file, write_json, write_text
from ctexp.data import catalog as catalogs
from ctexp.data.audit.copies import copy_groups, leaks, patients
from ctexp.data.audit.counts import count
from ctexp.data.audit.findings import Findings
from ctexp.data.audit.gaps import gaps
from ctexp.data.audit.integrity import integrity
from ctexp.data.audit.look import Seen, look, thumbnails
from ctexp.data.audit.names import names
from ctexp.data.audit.shift import shift
from ctexp.data.audit.shortcuts import shortcuts
from ctexp.data.audit.verdict import verdict
from ctexp.data.catalog import Catalog
from ctexp.data.duplicates.find import Pair, find_pairs
from ctexp.data.duplicates.groups import group_ids
from ctexp.data.intake.people import owners
from ctexp.data.leakage import test_in_val

SCHEMA_VERSION = 1
"""Of the document; raised when a field changes its meaning."""

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total); steps are `look`, `compare` and `judge`."""


@dataclass(frozen=True)
class Audit:
    """What an audit gives.

    Attributes:
        findings: what stands in its document.
        catalog: the data set, with the groups found.
        regrouped: how many images are in another group than the catalog said before.
        thumbnails: image id -> a small JPEG, of the images that have copies.
    """

    findings: Findings
    catalog: Catalog
    regrouped: int
    thumbnails: Mapping[str, bytes]

    def page(self, data_dir: Path) -> Path:
        """Where the page for people lies; the document is beside it."""
        return data_dir / "audit" / self.catalog.name / "audit.html"

    def as_dict(self) -> dict[str, Any]:
        """The JSON-ready document: the findings, and the same in words."""
        statements = [asdict(statement) for statement in verdict(self.findings)]
        return {"schema_version": SCHEMA_VERSION, **asdict(self.findings), "statements": statements}


def audit(catalog: Catalog, progress: Progress | None = None) -> Audit:
    """Look at every file of a data set and say what would make a figure measured on it untrue.

    Where all images are there and the groups in the catalog are not those found (another version made it),
    the catalog is rewritten with the groups found.

    Raises:
        Busy: the catalog was changed by somebody else meanwhile, or an import is running.
        StorageError: it cannot be rewritten.
    """

    def tell(step: str, done: int, total: int) -> None:
        if progress:
            progress(step, done, total)

    seen, problems = look(catalog, lambda done, total: tell("look", done, total))
    tell("compare", 0, 1)
    pairs = find_pairs([one.row.sha256 for one in seen], [one.signature for one in seen])
    catalog, regrouped = _regroup(catalog, seen, pairs)
    now = {row.image_id: row for row in catalog.rows}
    seen = [replace(one, row=now[one.row.image_id]) for one in seen]
    groups = copy_groups([one.row for one in seen], pairs)
    tell("compare", 1, 1)
    tell("judge", 0, 2)
    told = shortcuts(seen)
    tell("judge", 1, 2)
    shifts = shift(seen)
    tell("judge", 2, 2)
    findings = Findings(
        dataset=catalog.name,
        synthetic=catalog.synthetic,
        catalog_sha256=catalog.sha256,
        fingerprint=catalog.fingerprint,
        images=len(catalog.rows),
        examined=len(seen),
        integrity=integrity(catalog, problems),
        counts=count(catalog.rows),
        copies=tuple(groups),
        leaks=tuple(leaks(catalog.rows, groups)),
        test_in_val=len(test_in_val(catalog.rows)),
        patients=patients(catalog.rows),
        names=names(now),
        shortcuts=told,
        shift=shifts,
        unknown=gaps(catalog.rows),
    )
    wanted = {member.image_id for group in groups for member in group.members}
    return Audit(findings, catalog, regrouped, thumbnails(seen, wanted))


def _regroup(catalog: Catalog, seen: Sequence[Seen], pairs: Sequence[Pair]) -> tuple[Catalog, int]:
    """The catalog with the groups found, rewritten if they are others; and of how many images they are."""
    place_of = {row.image_id: place for place, row in enumerate(catalog.rows)}
    places = [place_of[one.row.image_id] for one in seen]
    if len(seen) < sum(bool(row.pixels) for row in catalog.rows):
        return catalog, 0  # of images that are missing or damaged now the catalog knows more
    groups = group_ids(
        [row.sha256 for row in catalog.rows],
        [(places[pair.first], places[pair.second]) for pair in pairs],
        [owners(row.meta) for row in catalog.rows],
    )
    rows = [replace(row, group=group) for row, group in zip(catalog.rows, groups, strict=True)]
    changed = sum(row.group != before.group for row, before in zip(rows, catalog.rows, strict=True))
    if not changed:
        return catalog, 0
    data_dir = catalog.file.parent.parent
    with catalogs.import_lock(data_dir):
        if sha256_file(catalog.file) != catalog.sha256:
            raise Busy(f"{catalog.file}: changed by somebody else during the audit", "audit again")
        return catalogs.write(data_dir, catalog.name, rows, synthetic=catalog.synthetic), changed


def write(audit: Audit, data_dir: Path) -> Path:
    """Write `audit.json` and the page for people, `audit.html`; the page's path.

    The same data give the same bytes.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    from ctexp.data.audit.page import render

    page = audit.page(data_dir)
    write_json(page.with_suffix(".json"), audit.as_dict())
    write_text(page, render(audit.findings, audit.thumbnails))
    return page
