"""What a reader should know before believing any number of the page, one line each."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.paths import ledger_file
from ctexp.evaluation.verdicts.documents import Comparison
from ctexp.record.ledger import Ledger
from ctexp.reports.sheets import Sheet
from ctexp.reports.wording import amount


def warnings(
    sheets: Sequence[Sheet], notes: Sequence[str], document: Comparison | None, root: Path, runs: Path
) -> list[tuple[str, str]]:
    """Pairs of what it is about and the warning.

    Args:
        sheets: the experiments.
        notes: what was left out of the page.
        document: the comparison, which has warnings of its own.
        root: the project's folder.
        runs: of all runs.
    """
    found = [("test ledger", line) for line in Ledger(ledger_file(root)).problems(root, runs)]
    found += [("this page", note) for note in notes]
    for sheet in sheets:
        lines = [*sheet.problems, *_data(sheet), *_source(sheet), *_training(sheet), *_numbers(sheet)]
        found += [(sheet.title, line) for line in dict.fromkeys(lines)]
    for candidate in document.candidates if document else ():
        found += [(candidate.title, line) for line in candidate.warnings]
    return list(dict.fromkeys(found))


def _data(sheet: Sheet) -> list[str]:
    lines: list[str] = []
    for member in sheet.members:
        if member.manifest:
            lines += member.manifest.dataset.warnings
            if member.manifest.dataset.synthetic:
                lines.append("the images were drawn by a program and show no patient")
            if member.manifest.dataset.sample:
                lines.append(f"at most {member.manifest.dataset.sample} images of each split were used")
    return lines


def _source(sheet: Sheet) -> list[str]:
    lines = []
    for member in sheet.members:
        git = member.manifest.git if member.manifest else None
        if git and git.dirty:
            kept = "kept in git.diff" if git.patch else "not kept"
            lines.append(f"{member.run.id}: source or configuration was not committed; the change is {kept}")
        if git and git.commit is None:
            lines.append(f"{member.run.id}: no commit is known ({git.reason or 'no reason recorded'})")
    return lines


def _training(sheet: Sheet) -> list[str]:
    lines = []
    for member in sheet.members:
        of = "" if len(sheet.members) == 1 else f"{member.run.id}: "
        if member.result is None:
            lines.append(f"{member.run.id}: no result was recorded")
            continue
        lines += [f"{of}{line}" for line in member.result.warnings]
        lines += [
            f"{of}{one.what}: {one.after} instead of {one.before} ({one.reason})"
            for one in member.result.deviations
        ]
    return lines


def _numbers(sheet: Sheet) -> list[str]:
    lines = []
    for split, view in sheet.views.items():
        lines += [f"{split}: {note}" for note in view.summary.get("notes", ())]
        if view.cases.temperature is None:
            lines.append(f"{split}: no temperature of these weights is known; probabilities are as trained")
        lacking = len(sheet.subject.runs) - len(view.answers.subject.runs)
        if lacking:
            lines.append(f"{split}: {amount(lacking, 'run')} without predictions")
    if not sheet.views:
        lines.append("no predictions can be read: there is nothing to judge")
    return lines
