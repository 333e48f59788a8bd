"""Is a class missed because training shows too few images of it?"""

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.core.wording import many
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import (
    RARE,
    agreeing,
    class_name,
    interval,
    number,
    p_value,
    plain,
)
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.diagnosis.headroom import of_missed
from ctexp.planning.diagnosis.unseen import unknown, unseen

_RARE = 0.5
"""A class is rare with at most so many training images as the largest: effects of imbalance on networks have
been measured from a ratio of two on, and grow with it (Buda, Maki & Mazurowski 2018)."""


def imbalance(seen: Evidence) -> Finding:
    """A rare class whose recall lies below that of the others.

    Fisher's exact test of its hits and misses against those of all others, one-sided, corrected for so many
    rare classes (Bonferroni), on one image of each group.
    """
    counts = seen.train_counts
    if not counts:
        return Finding("imbalance", "unknown", "how many images of each class training has is not known")
    largest, total = max(counts.values()), sum(counts.values())
    rare = [name for name in CLASSES if is_rare(seen, name)]
    smallest = min(CLASSES, key=lambda name: counts.get(name, 0))
    few = counts.get(smallest, 0)
    ratio = f"the largest class has {largest:,} training images, {class_name(smallest)} {few:,}"
    evidence: dict[str, object] = {"train": counts, "rare": rare}
    if not rare:
        return Finding(
            "imbalance",
            "not seen",
            f"no class is rare: {ratio}",
            confidence="high",
            why_so_sure="a count",
            evidence=evidence,
            cites=seen.cites,
            refuted_by="other images",
        )
    tested = {name: p for name in rare if (p := _p(seen, name)) is not None}
    if not tested:
        said = f"{class_name(rare[0])} is rare, and validation has too few images of it to tell"
        return unknown("imbalance", seen, said, evidence)
    level = RARE / len(tested)
    worst = min(tested, key=lambda name: tested[name])
    recall, others = _recall(seen, worst), _others(seen, worst)
    images = int(seen.summary["support"][worst])
    called = int(np.count_nonzero(seen.joint.logits.argmax(axis=1) == CLASSES.index(worst)))
    said = (
        f"{class_name(worst)}, {counts.get(worst, 0):,} of {total:,} training images, has a recall of"
        f" {number(*recall)} on {many(images, 'image')}; the other classes' is {others:.3f}"
        f" ({p_value(tested[worst])})"
    )
    evidence |= {
        "recall": interval(*recall),
        "recall_of_others": plain(others),
        "called": called,
        "p": {name: plain(p) for name, p in tested.items()},
    }
    if tested[worst] > level or recall[0] > others - seen.settings.worthwhile:
        refuted = "more validation images of it"
        return unseen("imbalance", seen, said, evidence, refuted, seeds=len(seen.tables), images=images)
    agree = sum(
        its["per_class"][worst]["recall"]["value"]
        == min(
            one["recall"]["value"] for one in its["per_class"].values() if one["recall"]["value"] is not None
        )
        for its in seen.summaries.values()
    )
    confidence, why = agreeing(agree, len(seen.tables), len(seen.tables))
    missed = tuple(name for name in CLASSES if tested.get(name, 1.0) <= level)
    return Finding(
        "imbalance",
        "seen",
        said,
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        about=missed,
        headroom=of_missed(seen.joint, [CLASSES.index(name) for name in missed], others),
        cites=seen.cites,
        refuted_by="a sampler or loss that balances the classes and leaves its recall where it is",
    )


def is_rare(seen: Evidence, name: str) -> bool:
    """Whether training has few images of a class, as far as is known."""
    counts = seen.train_counts
    return bool(counts) and counts.get(name, 0) <= _RARE * max(counts.values())


def _p(seen: Evidence, name: str) -> float | None:
    """That its recall is as high as the others'; None without enough images to tell."""
    from scipy.stats import fisher_exact

    right = seen.units.logits.argmax(axis=1) == seen.units.label
    own = seen.units.label == CLASSES.index(name)
    if own.sum() < 2 or own.all():
        return None
    table = [[int((right & of).sum()), int((~right & of).sum())] for of in (own, ~own)]
    return float(fisher_exact(table, alternative="less").pvalue)


def _recall(seen: Evidence, name: str) -> tuple[float, float | None, float | None]:
    entry = seen.summary["per_class"][name]["recall"]
    return float(entry["value"]), entry["low"], entry["high"]


def _others(seen: Evidence, name: str) -> float:
    others = seen.joint.label != CLASSES.index(name)
    right = seen.joint.logits.argmax(axis=1) == seen.joint.label
    return float(right[others].mean())
