"""The same images for all that is compared: a pair of numbers on different images says nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.wording import many, some
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions

_SHOWN = 5  # images named in one refusal
_TOLD = ("content", "class", "group")  # of each image, beside its id


class Matched(NamedTuple):
    """Answers about the same images, in the same order.

    Attributes:
        left_out: title -> images of it that not all have judged; no zeros.
        sha256: over the ids and contents of the images.
    """

    answers: list[Answers]
    left_out: dict[str, int]
    sha256: str


def matched(answers: Sequence[Answers], *, intersect: bool) -> Matched:
    """Refuse differing images, or keep those that all have judged.

    Args:
        answers: the baseline's, then the candidates'.
        intersect: keep the common images, instead of refusing.

    Raises:
        DataError: the sets differ and may not be intersected, have nothing in common, an image has another
            content, class or group in one of them, which nothing can mend, or seeds of one experiment gave
            the same answers.
    """
    _refuse_contradictions(answers)
    _refuse_repeated(answers)
    sets = [set(its.tables[0].image_id) for its in answers]
    common = set.intersection(*sets)
    if any(ids != common for ids in sets):
        told = [
            f"{its.subject.title}: {many(len(ids), 'image')}{_where(its)}, "
            f"{len(common):,} of them judged by all"
            for its, ids in zip(answers, sets, strict=True)
        ]
        if not common:
            raise DataError(told, "nothing can be compared: name experiments on the same split")
        if not intersect:
            raise DataError(
                told,
                f"compare on the {many(len(common), 'image')} that all have judged: add --intersect",
            )
        left_out = {its.subject.title: len(ids) - len(common) for its, ids in zip(answers, sets, strict=True)}
        answers = [its.of(common) for its in answers]
    else:
        left_out = {}
    return Matched(list(answers), {title: n for title, n in left_out.items() if n}, _digest(answers[0].joint))


def _refuse_contradictions(answers: Sequence[Answers]) -> None:
    """Refuse an id that stands for different things."""
    first: dict[str, tuple[str, int, str]] = {}
    problems: list[str] = []
    reference = answers[0].tables[0]
    for title, table in ((its.subject.title, table) for its in answers for table in its.tables):
        if first and table.same_images(reference):  # as nearly always
            continue
        wrong: dict[str, list[str]] = {what: [] for what in _TOLD}
        told = zip(table.sha256, table.label.tolist(), table.group, strict=True)
        for image_id, said in zip(table.image_id, told, strict=True):
            known = first.setdefault(image_id, said)
            if known != said:
                what = next(name for name, one, other in zip(_TOLD, known, said, strict=True) if one != other)
                wrong[what].append(image_id)
        for what, images in wrong.items():
            if images:
                problems.append(f"{title}: another {what} under {some(images, _SHOWN)}")
    if problems:
        raise DataError(
            list(dict.fromkeys(problems)),  # once, whatever the number of seeds
            "the data set was changed in between: train or evaluate again on one version of it",
        )


def _refuse_repeated(answers: Sequence[Answers]) -> None:
    """Refuse seeds with byte-identical answers, which tell of a spread over seeds that nobody has seen."""
    problems = []
    for its in answers:
        seeds: dict[bytes, list[int]] = {}
        for seed, table in its.seeds.items():
            seeds.setdefault(table.logits.tobytes(), []).append(seed)
        problems += [
            f"{its.subject.title}: seeds {', '.join(map(str, same))} gave the same answers, byte by byte"
            for same in seeds.values()
            if len(same) > 1
        ]
    if problems:
        raise DataError(problems, "they are one training, however often it is kept: name a single run")


def _digest(table: Predictions) -> str:
    lines = "".join(f"{one} {other}\n" for one, other in zip(table.image_id, table.sha256, strict=True))
    return files.sha256_bytes(lines.encode())


def _where(answers: Answers) -> str:
    return " out of fold" if answers.subject.place else f" of {answers.split}"
