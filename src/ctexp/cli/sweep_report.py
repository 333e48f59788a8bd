"""`sweep-report`: one page about a sweep, verdict first."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.cli.report import page_named
from ctexp.config import verdict
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, files, screen
from ctexp.core.paths import project_root, shown

if TYPE_CHECKING:
    from ctexp.reports.sweeps.study import Study

_PAGE = "sweep.html"


def sweep_report(sweep: str, output: str | None, json: bool) -> None:
    """Write the page, and say what was found and where it is."""
    root = project_root()
    _, runs = resolve_paths(root)
    named = page_named(output) if output is not None else None

    from ctexp.reports.sweeps.render import lead, render
    from ctexp.reports.sweeps.study import study
    from ctexp.sweeps.reading import opened

    its = opened.read(runs, sweep)
    with screen.status("weighing parameters"):
        found = study(its, verdict.load(root).alpha, clock.now())
    path = named or its.place.path / _PAGE
    files.write_text(path, render(found))
    if json:
        screen.emit_json(_document(path, found))
    else:
        print(lead(found))
        for line in found.cautions:
            screen.warn(line)
        print(f"page: {shown(path)}")


def _document(path: Path, found: "Study") -> dict[str, object]:
    importance = found.importance
    return {
        "sweep": found.summary.id,
        "path": str(path),
        "trials": dict(found.status.counts),
        "best": found.summary.best.number if found.summary.best else None,
        "established": found.summary.established,
        "why": found.summary.why,
        "cautions": list(found.cautions),
        "importance": {
            its.key: {"share": its.value, "low": its.low, "high": its.high} for its in importance.shares
        },
        "explained": asdict(importance.explained) if importance.explained else None,
        "importance_unknown": importance.why or None,
    }
