"""Are labels wrong?

A network errs most where it is in doubt; a wrong label is as frequent where it is sure. So the surest half of
the images is looked at: how many of them carry another label, and how often that would happen if every label
were drawn from the network's own probabilities. How sure it has a right to be is learned from the other half,
since wrong labels among the sure ones would pass for overconfidence. What confident learning suspects is told
beside it (Northcutt et al. 2021, who found 0.2 to 10 % of the labels of image sets wrong).

It points at images to look at and proves nothing: a network that is too sure of one kind of image looks the
same, so confidence is never high, and low with fewer than three seeds.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import CLASSES
from ctexp.evaluation import temperature
from ctexp.evaluation.intervals import FEW, wilson
from ctexp.evaluation.mistakes.mislabelled import counted_as
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import RARE, interval, p_value, plain, share, spelled
from ctexp.planning.diagnosis.findings import Confidence, Finding
from ctexp.planning.diagnosis.rules.confused_pair import confused_pair
from ctexp.planning.diagnosis.unseen import unknown, unseen

_DRAWS = 2000
_MANY = 0.2
"""More suspects than this share speak against the network rather than the labels."""


def label_noise(seen: Evidence) -> Finding:
    """Wrong where the network is sure, more often than its doubt explains."""
    units = seen.units
    n = len(units.label)
    order = np.argsort(-units.probabilities.max(axis=1), kind="stable")
    sure, unsure = order[: n // 2], order[n // 2 :]
    doubt = temperature.fit(units.label[unsure], units.logits[unsure]).temperature
    scaled = temperature.calibrated(units.logits, doubt)
    called = scaled.argmax(axis=1)
    wrong = sure[called[sure] != units.label[sure]]
    expected, p = _explained(scaled, sure, len(wrong))
    counted = counted_as(units.label, scaled)
    suspects = np.flatnonzero((counted >= 0) & (counted != units.label))
    bounds = wilson(len(suspects) / n, n)
    seeds = len(seen.tables)
    told = (
        f"{share(len(suspects), n, bounds)} labels are spoken against; among the surest half of the images"
        f" {len(wrong)} are wrong where its own doubt explains {expected:.1f} ({p_value(p)}, told up to"
        f" {RARE:g})"
    )
    evidence = {
        "suspects": interval(len(suspects) / n, *bounds),
        "images": [units.image_id[row] for row in suspects[: 2 * FEW]],
        "sure_and_wrong": len(wrong),
        "explained": plain(expected),
        "p": plain(p),
    }
    one_pair = _of_one_pair(units, called, wrong)
    if p <= RARE and len(suspects) > _MANY * n:
        told += "; so many speak against the network rather than the labels"
    if p > RARE or len(wrong) < FEW or len(suspects) > _MANY * n or one_pair:
        refuted = "labels that turn out wrong when they are looked at"
        found = unseen(
            "label_noise", seen, "; ".join(filter(None, (told, one_pair))), evidence, refuted, seeds=seeds
        )
        return replace(found, confidence="low") if one_pair else found
    if confused_pair(seen).state == "seen":
        doubtful = f"{told}; but two classes are taken for each other, which upsets what its doubt is worth"
        return unknown("label_noise", seen, doubtful, evidence)
    agree = _alike(seen, called, wrong)
    sure_of_it: Confidence = "moderate" if seeds > 2 and 5 * agree >= 4 * len(wrong) else "low"
    why = "one training; candidates for a second look, no proofs"
    if seeds > 1:
        why = f"{spelled(seeds)} trainings, which call {agree} of these {len(wrong)} alike"
    return Finding(
        "label_noise",
        "seen",
        told,
        confidence=sure_of_it,
        why_so_sure=why,
        evidence=evidence | {"called_alike": agree},
        cites=seen.cites,
        refuted_by="the suspects' labels turn out right when they are looked at (scripts/inv analyze-errors)",
    )


def _explained(probabilities: NDArray[np.float64], sure: NDArray[np.intp], found: int) -> tuple[float, float]:
    """How many errors among these images doubt alone makes, and how often at least `found`."""
    wrong = 1 - probabilities[sure].max(axis=1)
    drawn = (np.random.default_rng(0).random((_DRAWS, len(sure))) < wrong).sum(axis=1)
    return float(wrong.sum()), float((drawn >= found).sum() + 1) / (_DRAWS + 1)


def _of_one_pair(units: Predictions, called: NDArray[np.intp], wrong: NDArray[np.intp]) -> str:
    """Why these errors are those of two classes that look alike; empty where they are not."""
    pairs = [
        tuple(sorted((int(truth), int(said))))
        for truth, said in zip(units.label[wrong], called[wrong], strict=True)
    ]
    for pair in sorted(set(pairs)):
        if 3 * pairs.count(pair) > 2 * len(pairs):
            first, second = (CLASSES[k].replace("_", " ") for k in pair)
            return f"they are those of {first} and {second}, which speaks against the network"
    return ""


def _alike(seen: Evidence, called: NDArray[np.intp], wrong: NDArray[np.intp]) -> int:
    """How many of the errors every seed makes alike."""
    each = np.stack([its.logits.argmax(axis=1) for its in seen.seed_units.values()])
    return int((each[:, wrong] == called[wrong]).all(axis=0).sum())
