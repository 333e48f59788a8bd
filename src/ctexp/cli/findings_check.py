"""`findings-check`: every number of the findings, worked out again from what it cites."""

from dataclasses import asdict
from typing import Any

from ctexp.config.compose import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many
from ctexp.research.findings.checking import Line, Report, check
from ctexp.research.places import Places
from ctexp.research.plan.load import load

DIFFERENT, MISSING = 12, 3
"""Exit codes; what differs counts before what is missing."""


def findings_check(json: bool) -> int:
    """Recompute everything; 12 where anything differs, 3 where only something cited is missing."""
    root = project_root()
    data, runs = resolve_paths(root)
    places = Places(root)
    plan = load(places.plan, shown(places.plan))
    with screen.steps() as progress:
        report = check(root, runs, plan, data, progress=progress)
    code = DIFFERENT if report.differences else MISSING if report.missing else 0
    if json:
        screen.emit_json(_document(report, code))
    else:
        _tell(report)
    return code


def _tell(report: Report) -> None:
    for line in (*report.differences, *report.missing):
        print(line)
    for note in report.notes:
        screen.note(note)
    if not report.files:
        print("no findings yet: scripts/inv research-run makes some")
        return
    said = f"{many(report.numbers, 'number')} in {many(len(report.files), 'file')}"
    if report.unsourced:
        screen.note(
            f"{many(report.unsourced, 'figure')} counted or reported by handlers: nothing to recompute from"
        )
    if report.differences or report.missing:
        told = [
            many(len(lines), what)
            for lines, what in ((report.differences, "difference"), (report.missing, "missing source"))
            if lines
        ]
        print(f"{said} looked at: {', '.join(told)}")
        screen.note(
            "where the findings are committed, `git diff research` shows what was changed by hand; what is "
            "out of date is made anew by `scripts/inv research-run --experiment-id ID`, with --force where "
            "only files of runs are others"
        )
    else:
        print(f"{said} recomputed, all equal")


def _document(report: Report, code: int) -> dict[str, Any]:
    return {
        "exit_code": code,
        "numbers": report.numbers,
        "unsourced": report.unsourced,
        "files": sorted(report.files),
        "differences": [_line(one) for one in report.differences],
        "missing": [_line(one) for one in report.missing],
        "notes": report.notes,
    }


def _line(one: Line) -> dict[str, Any]:
    return asdict(one) | {"line": one.line or None}
