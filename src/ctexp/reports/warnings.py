"""What a reader should know before believing any number of the page, one line each, the gravest first."""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from ctexp.core.wording import many
from ctexp.evaluation.verdicts.documents import Comparison
from ctexp.reports.sheets import Member, Sheet


class Weight(IntEnum):
    """What a warning is about, the gravest first."""

    RECORD = 0
    LEAK = 1
    TRAINING = 2
    LEFT_OUT = 3
    COMPARISON = 4
    IMAGES = 5
    SOURCE = 6
    NUMBERS = 7
    SUPPORT = 8


Weighed = tuple[Weight, str]


def warnings(
    sheets: Sequence[Sheet], notes: Sequence[str], document: Comparison | None, altered: Sequence[str]
) -> list[tuple[str, str]]:
    """Pairs of what it is about and the warning."""
    found = [(Weight.RECORD, "test ledger", line) for line in altered]
    found += [(Weight.LEFT_OUT, "this page", note) for note in notes]
    for sheet in sheets:
        found += [(weight, sheet.title, line) for weight, line in _of(sheet)]
    for candidate in document.candidates if document else ():
        found += [(Weight.COMPARISON, candidate.title, line) for line in candidate.warnings]
    found.sort(key=lambda its: its[0])
    return list(dict.fromkeys((about, line) for _, about, line in found))


def _of(sheet: Sheet) -> Iterator[Weighed]:
    yield from ((Weight.RECORD, problem) for problem in sheet.problems)
    if not sheet.views:
        yield Weight.RECORD, "no predictions can be read: there is nothing to judge"
    for member in sheet.members:
        yield from _data(member)
        yield from _source(member)
        yield from _training(member, "" if len(sheet.members) == 1 else f"{member.run.id}: ")
    yield from _numbers(sheet)


def _data(member: Member) -> Iterator[Weighed]:
    if member.manifest is None:
        return
    dataset = member.manifest.dataset
    for line in dataset.warnings:
        leaks = dataset.leaks is None or line in dataset.leaks  # older records do not tell them apart
        yield (Weight.LEAK if leaks else Weight.IMAGES), line
    if dataset.synthetic:
        yield Weight.IMAGES, "the images were drawn by a program and show no patient"
    if dataset.sample:
        yield Weight.IMAGES, f"at most {dataset.sample} images of each split were used"


def _source(member: Member) -> Iterator[Weighed]:
    git = member.manifest.git if member.manifest else None
    if git and git.dirty:
        kept = "kept in git.diff" if git.patch else "not kept"
        line = f"{member.run.id}: source or configuration was not committed; the change is {kept}"
        yield Weight.SOURCE, line
    if git and git.commit is None:
        yield Weight.SOURCE, f"{member.run.id}: no commit is known ({git.reason or 'no reason recorded'})"


def _training(member: Member, of: str) -> Iterator[Weighed]:
    if member.result is None:
        yield Weight.RECORD, f"{member.run.id}: no result was recorded"
        return
    yield from ((Weight.TRAINING, f"{of}{line}") for line in member.result.warnings)
    for one in member.result.deviations:
        yield Weight.SOURCE, f"{of}{one.what}: {one.after} instead of {one.before} ({one.reason})"


def _numbers(sheet: Sheet) -> Iterator[Weighed]:
    few: list[str] = []
    for split, view in sheet.views.items():
        notes = view.summary.get("notes", ())
        few += _few(split, notes)
        yield from ((Weight.NUMBERS, f"{split}: {note}") for note in notes if _RESTS not in note)
        if view.cases.temperature is None:
            line = f"{split}: no temperature of these weights is known; probabilities are as trained"
            yield Weight.NUMBERS, line
        lacking = len(sheet.subject.runs) - len(view.answers.subject.runs)
        if lacking:
            yield Weight.NUMBERS, f"{split}: {many(lacking, 'run')} without predictions"
    if few:
        yield Weight.SUPPORT, f"rests on few images: {'; '.join(few)}"


_RESTS = " rests on "


def _few(split: str, notes: Iterable[str]) -> Iterator[str]:
    """`val precision of normal (5 images)` for each note on small support."""
    for note in notes:
        metric, small, images = note.partition(_RESTS)
        if small:
            yield f"{split} {metric} ({images})"
