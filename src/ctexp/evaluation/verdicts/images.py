"""The same images for all that is compared: a pair of numbers on different images says nothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions

_SHOWN = 5  # images named in one refusal


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
        DataError: the sets differ and may not be intersected, have nothing in common, or an image has
            another content or class in one of them, which nothing can mend.
    """
    _refuse_contradictions(answers)
    sets = [set(its.tables[0].image_id) for its in answers]
    common = set.intersection(*sets)
    if any(ids != common for ids in sets):
        told = [
            f"{its.subject.title}: {_counted(len(ids))}{_where(its)}, {len(common):,} of them judged by all"
            for its, ids in zip(answers, sets, strict=True)
        ]
        if not common:
            raise DataError(told, "nothing can be compared: name experiments on the same split")
        if not intersect:
            raise DataError(
                told,
                f"compare on the {_counted(len(common))} that all have judged: add --intersect",
            )
        left_out = {its.subject.title: len(ids) - len(common) for its, ids in zip(answers, sets, strict=True)}
        answers = [its.of(common) for its in answers]
    else:
        left_out = {}
    return Matched(list(answers), {title: n for title, n in left_out.items() if n}, _digest(answers[0].joint))


def _refuse_contradictions(answers: Sequence[Answers]) -> None:
    """Refuse an id that stands for different things."""
    first: dict[str, tuple[str, int]] = {}
    problems: list[str] = []
    reference = answers[0].tables[0]
    for its in answers:
        table = its.tables[0]
        if first and _same(table, reference):  # as nearly always
            continue
        changed, relabelled = [], []
        for image_id, sha256, label in zip(table.image_id, table.sha256, table.label.tolist(), strict=True):
            known = first.setdefault(image_id, (sha256, label))
            if known[0] != sha256:
                changed.append(image_id)
            elif known[1] != label:
                relabelled.append(image_id)
        for images, what in ((changed, "another content"), (relabelled, "another class")):
            if images:
                more = f" and {len(images) - _SHOWN:,} more" if len(images) > _SHOWN else ""
                problems.append(f"{its.subject.title}: {what} under {', '.join(images[:_SHOWN])}{more}")
    if problems:
        raise DataError(
            problems, "the data set was changed in between: train or evaluate again on one version of it"
        )


def _same(one: Predictions, other: Predictions) -> bool:
    labels = np.array_equal(one.label, other.label)
    return labels and one.image_id == other.image_id and one.sha256 == other.sha256


def _digest(table: Predictions) -> str:
    lines = "".join(f"{one} {other}\n" for one, other in zip(table.image_id, table.sha256, strict=True))
    return files.sha256_bytes(lines.encode())


def _counted(count: int) -> str:
    return f"{count:,} image" if count == 1 else f"{count:,} images"


def _where(answers: Answers) -> str:
    return " out of fold" if answers.subject.place else f" of {answers.split}"
