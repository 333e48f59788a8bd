"""Can the class be told without looking at the picture: from its size, its type of file, or its borders?

Where it can, a network that is shown the pictures may learn that instead of the disease, and be right for the
wrong reason on every set that has the same accident.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.data.audit.findings import Answer, Baseline, Shortcuts
from ctexp.data.audit.look import Seen
from ctexp.data.audit.separation import FEWEST, Folds, accuracy, are_few, auroc, divide, out_of_fold, thin
from ctexp.data.audit.statistics import BORDERS, SIZE, STATISTICS

Columns = dict[str, NDArray[np.float64]]


def shortcuts(seen: Sequence[Seen]) -> Shortcuts:
    """Train baselines on metadata: on all of them, and on each family alone so that one sees which it is.

    One image of each group and class is used, since copies and one person's images are no independent
    witnesses.

    Excluded images are passed over.
    """
    independent = _independent(seen)
    have = Counter(one.row.class_name for one in independent)
    names = [name for name in CLASSES if have[name]]
    left_out = {name: have[name] for name in names if have[name] < FEWEST}
    kept = [name for name in names if name not in left_out]
    if len(kept) < 2:
        few = ", ".join(f"{name} {have[name]}" for name in names) or "none"
        reason = f"it takes two classes of {FEWEST} independent images or more; there are: {few}"
        return Shortcuts(0, len(independent), left_out, reason, ())
    used = [one for one in independent if one.row.class_name in kept]
    taken = thin([one.row.class_name for one in used], [one.row.sha256 for one in used])
    used = [used[place] for place in taken]
    labels = np.array([kept.index(one.row.class_name) for one in used], np.int64)
    groups = np.unique([one.row.group for one in used], return_inverse=True)[1]
    folds = divide(labels, groups)
    normal = kept.index("normal") if "normal" in kept else None
    baselines = [
        Baseline(family, tuple(columns), _answers(columns, folds, groups, normal))
        for family, columns in _families(used).items()
    ]
    return Shortcuts(len(used), len(independent), left_out, "", tuple(baselines))


def _independent(seen: Sequence[Seen]) -> list[Seen]:
    """One image of each group and class: that of the smallest hash, which no split or name decides."""
    first: dict[tuple[str, str], Seen] = {}
    for one in seen:
        key = one.row.group, one.row.class_name
        if not one.row.excluded and (key not in first or one.row.sha256 < first[key].row.sha256):
            first[key] = one
    return list(first.values())


def _families(used: Sequence[Seen]) -> dict[str, Columns]:
    """The tables of each family, and of all together."""
    statistics = dict(zip(STATISTICS, np.stack([one.statistics for one in used]).T, strict=True))
    suffixes = [PurePosixPath(one.row.path).suffix.lower() for one in used]
    families: dict[str, Columns] = {
        "size": {name: statistics[name] for name in SIZE},
        "file type": _indicators("suffix", suffixes) | _indicators("mode", [one.row.mode for one in used]),
        "borders": {name: statistics[name] for name in BORDERS},
    }
    together = {name: column for columns in families.values() for name, column in columns.items()}
    return {"all metadata": together, **families}


def _indicators(what: str, values: Sequence[str]) -> Columns:
    """One column of 0 and 1 for each value that occurs."""
    texts = np.array(values)
    return {f"{what} {value}": (texts == value).astype(np.float64) for value in sorted(set(values))}


def _answers(
    columns: Columns, folds: Folds, groups: NDArray[np.int64], normal: int | None
) -> tuple[Answer, ...]:
    """Both questions by one forest: cancer or normal follows from the classes' probabilities."""
    scores = out_of_fold(np.stack(list(columns.values()), axis=1), folds)
    answers = [_answer("class", scores, folds.labels, scores.argmax(axis=1), groups)]
    if normal is not None:
        cancer = (folds.labels != normal).astype(np.int64)
        odds = 1 - scores[:, normal]
        answers.append(_answer("cancer", odds, cancer, (odds >= 0.5).astype(np.int64), groups))
    return tuple(answers)


def _answer(
    question: Literal["class", "cancer"],
    scores: NDArray[np.float64],
    labels: NDArray[np.int64],
    guesses: NDArray[np.int64],
    groups: NDArray[np.int64],
) -> Answer:
    majority = float(np.bincount(labels).max() / len(labels))
    right = accuracy(guesses == labels, majority, few=are_few(labels, groups))
    return Answer(question, right, round(majority, 4), auroc(scores, labels, groups))
