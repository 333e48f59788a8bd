"""From a selection to a report: everything read once, compared, and put in the order of the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctexp.config.verdict import VerdictSettings
from ctexp.evaluation.mistakes.attributes import attributes
from ctexp.evaluation.mistakes.slices import Slice, slices
from ctexp.evaluation.verdicts.documents import Comparison
from ctexp.record.subjects import Subject
from ctexp.reports import provenance, statements, warnings
from ctexp.reports.comparing import compared
from ctexp.reports.gallery import DataSets, Mistake, mistakes
from ctexp.reports.selection import Selection
from ctexp.reports.sheets import Sheet, View, read
from ctexp.reports.statements import Statement

Progress = Callable[[str, int, int], None]
"""Told of (step, done, total)."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One experiment on one split, with what is told of single images.

    Attributes:
        mistakes: the worst.
        slices: images that share something.
    """

    sheet: Sheet
    view: View
    mistakes: Sequence[Mistake]
    slices: Sequence[Slice]


@dataclass(frozen=True, eq=False)
class Report:
    """All that stands on a page, and in its tables.

    Attributes:
        asked: how the runs were chosen; empty where they were named.
        comparison: None where there is nothing to compare.
        lead: what was learned, in two sentences.
        verdict: the same by experiment.
        looks: how often test splits were looked at.
        warnings: what about, and what.
    """

    asked: str
    settings: VerdictSettings
    sheets: Sequence[Sheet]
    comparison: Comparison | None
    judged: Sequence[Judged]
    lead: str
    verdict: Mapping[str, Sequence[Statement]]
    looks: Sequence[str]
    warnings: Sequence[tuple[str, str]]


def build(
    selection: Selection,
    baseline: Subject | None,
    *,
    root: Path,
    data: Path,
    altered: Sequence[str],
    settings: VerdictSettings,
    progress: Progress = lambda _step, _done, _total: None,
) -> Report:
    """Read and compare.

    Args:
        selection: what the page is about.
        baseline: what the others are compared with; the first of them where it is None.
        root: the project's folder.
        data: the folder of all data.
        altered: what speaks against the test ledger.
        settings: what it takes to be better.
        progress: told of each experiment.
    """
    subjects = list(selection.subjects)
    if baseline is not None:
        known = {run.path for run in baseline.runs}
        left = [one for one in subjects if not {run.path for run in one.runs} <= known]
        subjects = [baseline, *(_told_apart(one, baseline) for one in left)]
    sheets = []
    for done, subject in enumerate(subjects, start=1):
        sheets.append(read(subject))
        progress("reading", done, len(subjects))
    first, *others = sheets
    document, notes = compared(first, others, settings, progress)
    sets = DataSets(data)
    judged = [_judged(sheet, view, sets, len(sheets)) for sheet in sheets for view in sheet.views.values()]
    return Report(
        selection.asked,
        settings,
        sheets,
        document,
        judged,
        statements.lead(document, sheets, settings),
        _verdict(sheets, document, settings),
        provenance.looks(sheets, root),
        warnings.warnings(sheets, [*selection.notes, *notes], document, altered),
    )


def _told_apart(one: Subject, baseline: Subject) -> Subject:
    """The same, under a title of its own: a name may have been trained again since it became the baseline."""
    return replace(one, title=f"{one.title} ({one.runs[-1].id})") if one.title == baseline.title else one


def _judged(sheet: Sheet, view: View, sets: DataSets, experiments: int) -> Judged:
    dataset = sheet.manifest.dataset.name if sheet.manifest else ""
    rows = tuple(sets.rows(dataset).values())
    return Judged(
        sheet,
        view,
        mistakes(sheet, view, sets, experiments),
        slices(view.cases, attributes(view.cases, rows)),
    )


def _verdict(
    sheets: Sequence[Sheet], document: Comparison | None, settings: VerdictSettings
) -> dict[str, list[Statement]]:
    """By experiment: first what the comparison says, then what its own numbers do."""
    found: dict[str, list[Statement]] = {}
    if document is not None:
        for candidate in document.candidates:
            found[candidate.title] = statements.compared(candidate, document)
    for sheet in sheets:
        found.setdefault(sheet.title, []).extend(statements.alone(sheet, settings))
    return found
