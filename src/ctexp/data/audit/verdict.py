"""The findings in words: for each topic what was found, how bad it is, and what it means for a figure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ctexp.core.wording import many, some
from ctexp.data.audit.findings import Answer, Comparison, Findings, Leak
from ctexp.data.audit.separation import ENOUGH as ENOUGH_TO_ALARM
from ctexp.data.audit.wording import area, percent, plain
from ctexp.data.caveats import ENOUGH

Level = Literal["fine", "note", "alarm"]
"""Nothing to do; to be known; figures will be untrue unless something is done."""

_LEVELS: tuple[Level, ...] = ("alarm", "note", "fine")

_FEW = f"no alarm (few: under {ENOUGH_TO_ALARM} independent images of a side)"


@dataclass(frozen=True)
class Statement:
    """One finding.

    Attributes:
        topic: one word.
        text: what was found.
        meaning: what that does to a figure and what to do; empty where there is nothing to add.
    """

    topic: str
    level: Level
    text: str
    meaning: str = ""


def verdict(findings: Findings) -> list[Statement]:
    """All statements, in the order in which people should read them: alarms first."""
    statements = [
        _files(findings),
        *_leaks(findings),
        _copies(findings),
        *_labels(findings),
        *_patients(findings),
        *_rare(findings),
        *_names(findings),
        _shortcuts(findings),
        *_shift(findings),
        *_unknown(findings),
    ]
    return sorted(statements, key=lambda statement: _LEVELS.index(statement.level))


def _files(findings: Findings) -> Statement:
    problems = findings.integrity.problems
    kinds = ", ".join(f"{count:,} {name}" for name, count in findings.integrity.file_types.items())
    modes = ", ".join(f"{name} {count:,}" for name, count in findings.integrity.modes.items())
    excluded = len(findings.integrity.excluded)
    aside = f"; {many(excluded, 'image')} excluded by the user" if excluded else ""
    if not problems:
        whole = f"all {findings.images - excluded:,} are whole and as they were imported"
        return Statement("files", "fine", f"{whole} ({kinds}; modes {modes}){aside}")
    named = [f"{problem.image_id}: {problem.kind}" for problem in problems]
    return Statement(
        "files",
        "alarm",
        f"{many(len(problems), 'file')} not as imported: {some(named)}{aside}",
        "Training refuses images that are missing or changed. Nothing below takes them into account.",
    )


def _leaks(findings: Findings) -> Iterator[Statement]:
    by_split: dict[str, list[Leak]] = {}
    for leak in findings.leaks:
        by_split.setdefault(leak.split, []).append(leak)
    for split, leaks in by_split.items():
        total = f"{sum(leak.leaking for leak in leaks):,} of {sum(findings.counts.images[split].values()):,}"
        yield Statement(
            "leaks",
            "alarm",
            "; ".join(map(_leak, leaks)) + (f" ({total} in all)" if len(leaks) > 1 else ""),
            f"A network has seen these in training, so figures on {split} as shipped flatter it. The clean "
            "split leaves them out, and training uses it by itself; data.split=official must be named.",
        )
    if shared := findings.test_in_val:
        are = "image is a copy" if shared == 1 else "images are copies"
        people = " or show the same patients" if findings.patients.known else ""
        yield Statement(
            "leaks",
            "alarm",
            f"{shared:,} test {are} of validation images{people}; the test is then no longer independent of "
            "model selection",
            "The clean split keeps them, since training has seen none of them. A fresh split keeps groups "
            f"whole: scripts/inv data-split --dataset {findings.dataset} --scheme grouped, then "
            "data.split=grouped.",
        )
    elif not by_split:
        yield Statement("leaks", "fine", "no image of val or test belongs to training, none of test to val")


def _leak(leak: Leak) -> str:
    """`46 of 54 normal test images are exact copies of 19 training images, 2 are altered copies of 2 …`."""
    ways = [
        (leak.exact, ("is an exact copy", "are exact copies"), leak.exact_distinct),
        (leak.near, ("is an altered copy", "are altered copies"), leak.near_distinct),
        (leak.related, ("belongs to a patient in training", "belong to patients in training"), 0),
    ]
    said = [
        (number, words[number > 1] + (f" of {many(distinct, 'training image')}" if distinct else ""))
        for number, words, distinct in ways
        if number
    ]
    (number, first), *others = said
    of = f"{number:,} of {leak.images:,} {plain(leak.class_name)} {leak.split} images {first}"
    return ", ".join([of, *(f"{number:,} {way}" for number, way in others)])


def _copies(findings: Findings) -> Statement:
    groups = findings.copies
    if not groups:
        return Statement("copies", "fine", "no image is a copy of another")
    kinds = {
        "bytes": "of equal bytes",
        "pixels": "of equal pixels in other files",
        "near": "of altered copies",
    }
    found = [
        f"{number:,} {words}"
        for kind, words in kinds.items()
        if (number := sum(group.kind == kind for group in groups))
    ]
    across = sum(len(group.splits) > 1 for group in groups)
    images = sum(not member.excluded for group in groups for member in group.members)
    return Statement(
        "copies",
        "note",
        f"{many(images, 'image')} stand in {many(len(groups), 'group')} of copies: {', '.join(found)}; "
        f"{across:,} across splits, {len(groups) - across:,} within one",
        "Copies are no independent evidence: intervals are computed over groups, and a picture that is in "
        "training several times counts several times there.",
    )


def _labels(findings: Findings) -> Iterator[Statement]:
    torn = [group for group in findings.copies if len(group.classes) > 1]
    if torn:
        named = [
            f"{group.members[0].image_id} ({' and '.join(map(plain, group.classes))}"
            + (f", likeness {group.similarity:.2f})" if group.kind == "near" else ")")
            for group in torn
        ]
        yield Statement(
            "labels",
            "alarm",
            f"{many(len(torn), 'picture')} under several classes: {some(named)}",
            "One of the labels is wrong, or the pictures are no copies: of a low likeness they may just look "
            "alike, and one may join others. Look at them below, and leave out what cannot be settled when "
            "importing (--exclude).",
        )
    elif findings.copies:
        yield Statement("labels", "fine", "copies of a picture all have one class")


def _patients(findings: Findings) -> Iterator[Statement]:
    across = findings.patients.across
    if across:
        named = [f"{patient} in {' and '.join(splits)}" for patient, splits in across.items()]
        yield Statement(
            "patients",
            "alarm" if any("train" in splits for splits in across.values()) else "note",
            f"{len(across):,} of {many(findings.patients.people, 'patient')} stand in several splits: "
            f"{some(named)}",
            "Images of one person resemble each other whatever the disease. They are in one group, so the "
            "schemes clean, grouped and kfold keep them on one side.",
        )
    elif findings.patients.known:
        yield Statement(
            "patients",
            "fine",
            f"{many(findings.patients.people, 'patient')}, each in one split",
        )


def _rare(findings: Findings) -> Iterator[Statement]:
    rare = findings.counts.rare
    if rare:
        named = [
            f"{plain(one.class_name)} in {one.split} {one.clean:,}"
            + (f" ({many(one.images, 'image')}, {one.groups:,} different)" if one.clean < one.images else "")
            for one in rare
        ]
        yield Statement(
            "rare",
            "note",
            f"fewer than {ENOUGH} independent images without leaks: {', '.join(named)}",
            "Sensitivity and specificity of these classes have intervals too wide to say anything. Use "
            "k-fold cross-validation (data.split=kfold), or find more images.",
        )


def _names(findings: Findings) -> Iterator[Statement]:
    names = findings.names
    if names.alike:
        yield Statement(
            "names",
            "note",
            f"{many(len(names.alike), 'set')} of ids equal but for case or Unicode form: "
            + some([" and ".join(ids) for ids in names.alike]),
            "On a file system that does not tell them apart one would overwrite the other.",
        )
    if names.shared_stems:
        examples = [f"{stem} in {places} places" for stem, places in names.examples.items()]
        yield Statement(
            "names",
            "note",
            f"{many(names.shared_stems, 'file name')} in several folders: {some(examples)}",
            "A name alone tells neither image nor patient: use the image id, which has the folder in it.",
        )


def _shortcuts(findings: Findings) -> Statement:
    found = findings.shortcuts
    if found.withheld:
        return Statement("shortcuts", "note", f"not assessed: {found.withheld}")
    together, *alone = found.baselines
    families = [baseline.family for baseline in alone if baseline.alarm]
    which = f"; it shows in {' and '.join(families)}" if families else ""
    said = "; ".join(_answer(answer) for answer in together.answers)
    if not any(baseline.alarm for baseline in found.baselines):
        if any(answer.auroc.few for answer in together.answers):
            return Statement("shortcuts", "note", f"{_FEW}; metadata alone (95 % intervals): {said}")
        return Statement("shortcuts", "fine", f"metadata alone tell little (95 % intervals): {said}")
    return Statement(
        "shortcuts",
        "alarm",
        f"metadata alone tell the class (95 % intervals): {said}{which}",
        "Size, type of file or borders say something of the class without a look at the picture. A network "
        "can learn that instead of the disease; compare its figures with these, not with a guess.",
    )


def _answer(answer: Answer) -> str:
    what = {"class": "class", "cancer": "cancer or normal"}[answer.question]
    return (
        f"{what} right in {percent(answer.accuracy)}, a guess in {100 * answer.majority:.0f} %, "
        f"AUROC {area(answer.auroc)}"
    )


def _shift(findings: Findings) -> Iterator[Statement]:
    by_split: dict[str, list[Comparison]] = {}
    for comparison in findings.shift:
        by_split.setdefault(comparison.split, []).append(comparison)
    for split, comparisons in by_split.items():
        judged = [(one, one.auroc) for one in comparisons if one.auroc]
        if not judged:
            yield Statement("shift", "note", f"{split} against train not assessed: {comparisons[0].withheld}")
            continue
        said = ", ".join(f"{one.among} {area(figure)}" for one, figure in judged)
        alarming = [pair for pair in judged if pair[1].alarm]
        if not alarming and any(figure.few for _, figure in judged):
            yield Statement("shift", "note", f"{split} against train: {_FEW}; AUROC (95 % interval) {said}")
            continue
        if not alarming:
            yield Statement("shift", "fine", f"{split} looks like train: AUROC (95 % interval) {said}")
            continue
        worst, _ = max(alarming, key=lambda pair: pair[1].low)
        most = worst.telling[0]
        yield Statement(
            "shift",
            "alarm",
            f"{split} does not look like train: AUROC (95 % interval) {said}; most telling of {worst.among}: "
            f"{most.statistic}, median {most.train:g} in train, {most.other:g} in {split}",
            f"The images of {split} can be told from training images without a look at what they show, so "
            "they come from elsewhere or were treated differently. A figure on them measures that too.",
        )


def _unknown(findings: Findings) -> Iterator[Statement]:
    if findings.unknown:
        yield Statement("unknown", "note", f"not known of all images: {', '.join(findings.unknown)}")
