"""Are most errors those of two classes that are taken for each other?"""

from itertools import combinations

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.evaluation.intervals import FEW, wilson
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import (
    RARE,
    agreeing,
    class_name,
    interval,
    p_value,
    plain,
    share,
)
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.diagnosis.headroom import of_pair
from ctexp.planning.diagnosis.rules.imbalance import is_rare
from ctexp.planning.diagnosis.unseen import unseen

Pair = tuple[int, int]
_SHARE = 0.4
"""Of all errors: where a pair holds less, most of what is wrong would be wrong without it."""


def confused_pair(seen: Evidence) -> Finding:
    """One pair holds more of the errors than any other, beyond chance.

    It is held against the pair that comes second: three cancers that look alike are no confused pair, though
    each pair of them holds more errors than one with normal. If an error were as likely for an image of
    either pair, their errors would divide as their images do: an exact binomial test, doubled since the
    larger of the two was taken, on one image of each group. With more than two pairs alike it speaks less
    often still.
    """
    errors, exposed = _errors(seen.units), _exposed(seen.units)
    total = sum(errors.values())
    if not total:
        return _absent(seen, "no validation image is called wrong", {})
    order = sorted(errors, key=lambda pair: (-errors[pair], pair))
    first, second = order[0], order[1]
    p = _p(errors, exposed, first, second)
    bounds = wilson(errors[first] / total, total)
    names = tuple(CLASSES[k] for k in first)
    told = " and ".join(class_name(name) for name in names)
    directions = _directions(seen.units, first)
    next_told = " and ".join(class_name(CLASSES[k]) for k in second)
    said = (
        f"{told} taken for each other: {share(errors[first], total, bounds)} errors,"
        f" {directions[0]} and {directions[1]} either way; the next pair,"
        f" {next_told}, has {errors[second]} ({p_value(p)})"
    )
    evidence = {
        "either_way": list(directions),
        "pairs": {" / ".join(CLASSES[k] for k in pair): errors[pair] for pair in order if errors[pair]},
        "share": interval(errors[first] / total, *bounds),
        "p": plain(p),
    }
    if p > RARE or errors[first] < FEW or errors[first] < _SHARE * total:
        return _absent(seen, said, evidence)
    agree = sum(max(its, key=its.__getitem__) == first for its in map(_errors, seen.seed_units.values()))
    confidence, why = agreeing(agree, len(seen.tables), len(seen.tables))
    missed = names[0] if directions[0] > directions[1] else names[1]
    if min(directions) * 5 < max(directions) and is_rare(seen, missed):
        confidence = "low"
        why = f"{class_name(missed)} is rare in training, and a rare class that is missed looks the same"
    return Finding(
        "confused_pair",
        "seen",
        said,
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        about=names,
        headroom=of_pair(seen.units, first, errors[second]),
        cites=seen.cites,
        refuted_by="other seeds, or other images, whose errors fall elsewhere",
    )


def _errors(table: Predictions) -> dict[Pair, int]:
    """Images of one class of a pair that were called the other."""
    return {pair: sum(_directions(table, pair)) for pair in combinations(range(len(CLASSES)), 2)}


def _directions(table: Predictions, pair: Pair) -> tuple[int, int]:
    """Images of the first class that were called the second, and the other way round."""
    called = table.logits.argmax(axis=1)
    a, b = pair
    return (
        int(np.count_nonzero((table.label == a) & (called == b))),
        int(np.count_nonzero((table.label == b) & (called == a))),
    )


def _exposed(table: Predictions) -> dict[Pair, int]:
    """Images of a pair's classes."""
    counts = np.bincount(table.label, minlength=len(CLASSES))
    return {(a, b): int(counts[a] + counts[b]) for a, b in combinations(range(len(CLASSES)), 2)}


def _p(errors: dict[Pair, int], exposed: dict[Pair, int], first: Pair, second: Pair) -> float:
    """That the first has so many more errors than the second by chance, which of the two it is left open."""
    from scipy.special import bdtrc

    both = errors[first] + errors[second]
    chance = exposed[first] / (exposed[first] + exposed[second])
    return min(1.0, 2 * float(bdtrc(errors[first] - 1, both, chance)))


def _absent(seen: Evidence, said: str, evidence: dict[str, object]) -> Finding:
    refuted = "more validation images, whose errors gather in one pair"
    return unseen("confused_pair", seen, said, evidence, refuted, seeds=len(seen.tables))
