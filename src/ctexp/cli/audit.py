"""`data-audit`: what would make a figure measured on a data set untrue."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from ctexp.cli.tables import per_class
from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.errors import DataError
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.audit.verdict import verdict
from ctexp.data.catalog import Catalog

if TYPE_CHECKING:
    from ctexp.data.audit.run import Audit

_MARKS = {"alarm": "!", "note": "-", "fine": " "}


def audit(dataset: str, allow_leakage: bool, json: bool) -> int | None:
    """Audit a data set; the exit code, 3 where files are not as imported or splits leak into each other."""
    data_dir, _ = resolve_paths(project_root())
    found = look_into(catalogs.load(data_dir, dataset), data_dir)
    if json:
        screen.emit_json(found.as_dict())
    else:
        tell(found, data_dir)
    wrong = _objections(found, allow_leakage)
    for line in wrong:
        screen.note(line)
    return DataError.exit_code if wrong else None


def look_into(catalog: Catalog, data_dir: Path) -> "Audit":
    """Audit a data set with a bar, and write its document and page."""
    from ctexp.data.audit import run as audits  # takes a third of a second, and a refusal needs none

    with screen.steps() as progress:
        found = audits.audit(catalog, progress)
    audits.write(found, data_dir)
    if found.regrouped:
        screen.note(
            f"{shown(catalog.file)}: rewritten, {many(found.regrouped, 'image')} moved to other groups"
        )
    return found


def tell(found: "Audit", data_dir: Path) -> None:
    """Print what was found, and where the page is."""
    findings = found.findings
    console = screen.results()
    print(f"{found.catalog.title}: {findings.images:,} images audited")
    screen.print_table(per_class(findings.counts.images))
    for one in verdict(findings):
        begin = f"{_MARKS[one.level]} {one.topic:<11}"
        print(fill(one.text, console.width, initial_indent=begin, subsequent_indent=" " * len(begin)))
    print(f"page: {shown(found.page(data_dir))}")


def _objections(found: "Audit", allow_leakage: bool) -> list[str]:
    """What makes the audit fail, and what to do about it, one line each."""
    name, findings = found.catalog.name, found.findings
    lines = []
    if problems := findings.integrity.problems:
        lines += DataError(
            f"data set {name!r}: {many(len(problems), 'file')} not as imported",
            "put the original files back and move others away, or import the set anew: "
            f"scripts/inv data-import PATH --name {name}",
        ).lines()
    if findings.leaks and not allow_leakage:
        leaking = sum(leak.leaking for leak in findings.leaks)
        lines += DataError(
            f"data set {name!r}: {many(leaking, 'image')} of val and test also in training",
            "training uses the clean split by itself, data.split=official must be named; "
            "--allow-leakage accepts it here",
        ).lines()
    if findings.test_in_val and not allow_leakage:
        lines += DataError(
            f"data set {name!r}: {many(findings.test_in_val, 'image')} of test also in val",
            f"divide it anew: scripts/inv data-split --dataset {name} --scheme grouped, and train with "
            "data.split=grouped; --allow-leakage accepts it here",
        ).lines()
    return lines
