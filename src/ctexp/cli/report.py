"""`report`: one page about runs for people, verdict first, from their directories alone."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.config import verdict as verdicts
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, files, screen
from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.core.paths import ledger_file, project_root, shown
from ctexp.queue import folder
from ctexp.record import baselines, index
from ctexp.record.ledger import Ledger
from ctexp.record.subjects import Subject, subject
from ctexp.reports import selection

if TYPE_CHECKING:
    from ctexp.record.baselines import Baseline
    from ctexp.reports.build import Report

FOLDER = "reports"
"""Where pages are written, below the folder of all runs."""

_LISTED = 8  # experiments; the page has all


def report(
    runs: Sequence[str] | None,
    queue: str | None,
    since: str | None,
    baseline: str | None,
    output: str | None,
    csv: bool,
    json: bool,
) -> None:
    """Write the page, and say what was learned and where it is."""
    root = project_root()
    data_dir, runs_dir = resolve_paths(root)
    settings = verdicts.load(root)
    moment = clock.now()
    path = _output(output, runs_dir, clock.stamp(moment))
    best_by = f"val/{settings.primary}"
    standing = baselines.current(root)
    with index.at_once(runs_dir):
        asked = _queue(runs_dir, queue) if queue else None
        selected = selection.select(
            runs_dir, runs or (), asked, since, now=moment.astimezone(), best_by=best_by, baseline=standing
        )
        chosen, notes = _against(baseline, runs_dir, best_by, standing, asked)
        altered = Ledger(ledger_file(root)).problems(root, runs_dir)

    from ctexp.reports import build, tables  # half a second that a refusal needs none of
    from ctexp.reports.page.render import render

    for line in selected.unfinished:
        screen.warn(line)
    with screen.steps() as progress:
        made = build.build(
            replace(selected, notes=(*selected.unfinished, *selected.notes, *notes)),
            chosen,
            root=root,
            data=data_dir,
            altered=altered,
            settings=settings,
            progress=progress,
        )
    files.write_text(path, render(made, moment))
    written = tables.write(made, path.with_name(f"{path.stem}_tables")) if csv else []
    if json:
        screen.emit_json(_document(made, path, written))
    else:
        _tell(made, path, written)


def _queue(runs: Path, said: str) -> str:
    """A queue as its own verbs know it; what only runs remember stays as it is."""
    with suppress(DataError):
        return folder.find(runs, said).id
    return said


def _against(
    named: str | None, runs_dir: Path, best_by: str, standing: "Baseline | None", queue: str | None
) -> tuple[Subject | None, list[str]]:
    """What the others are compared with, and why a baseline that nobody named cannot be that."""
    if named is None and standing is None:
        return None, []
    try:
        meant = subject(runs_dir, named or "baseline", best_by=best_by, baseline=standing, queue=queue)
        return meant, []
    except CtexpError as error:
        if named is not None:
            raise
        return None, [f"the baseline: {problem}" for problem in error.problems]


def _output(said: str | None, runs_dir: Path, stamp: str) -> Path:
    return page_named(said) if said is not None else runs_dir / FOLDER / f"{stamp}.html"


def page_named(said: str) -> Path:
    """Where `--output` says that a page goes.

    Raises:
        UsageError: that is no name of a page.
    """
    path = Path(said).expanduser().absolute()
    if path.suffix not in {".html", ".htm"}:
        raise UsageError(f"--output: {said} is no name of a page", "give it the suffix .html")
    if path.is_dir():
        raise UsageError(f"--output: {said} is a folder", "name a file")
    return path


def _tell(made: "Report", path: Path, written: Sequence[Path]) -> None:
    print(made.lead)
    for title, statements in list(made.verdict.items())[:_LISTED]:
        print(f"{title}:")
        for one in statements:
            if one.mark != "note":
                print(f"  {one.text}")
    if made.warnings:
        screen.warn(f"{len(made.warnings)} to read on the page before believing any number")
    print(f"page: {shown(path)}")
    if written:
        print(f"tables: {shown(written[0].parent)}")


def _document(made: "Report", path: Path, written: Sequence[Path]) -> dict[str, object]:
    return {
        "path": str(path),
        "tables": [str(one) for one in written],
        "asked": made.asked,
        "runs": [member.run.id for sheet in made.sheets for member in sheet.members],
        "experiments": [
            {
                "title": sheet.title,
                "kind": sheet.subject.kind,
                "runs": [member.run.id for member in sheet.members],
                "verdict": [asdict(one) for one in made.verdict[sheet.title]],
            }
            for sheet in made.sheets
        ],
        "comparison": made.comparison.document() if made.comparison else None,
        "looks": list(made.looks),
        "warnings": [{"about": about, "text": text} for about, text in made.warnings],
    }
