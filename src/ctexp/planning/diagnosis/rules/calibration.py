"""Is the network as sure as it has a right to be?"""

from dataclasses import dataclass

import numpy as np

from ctexp.evaluation import scores, temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import agreeing, interval, number
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.diagnosis.rules.label_noise import label_noise
from ctexp.planning.diagnosis.unseen import unseen
from ctexp.record.calibration import HIGHEST, LOWEST

_OFF = 1.25
"""A temperature matters beyond this, or below its inverse: what is called with 0.90 then deserves 0.82, or
0.95 (four classes, the doubt spread evenly over three)."""
_CHI2 = 3.841458820694124
"""The 0.95 quantile of the chi-squared distribution with one degree of freedom."""
_GRID = np.geomspace(LOWEST, HIGHEST, 241)


@dataclass(frozen=True)
class _Fitted:
    best: float
    low: float
    high: float


def calibration(seen: Evidence) -> Finding:
    """The temperature that fits validation best, with the interval of its likelihood.

    The interval holds every temperature whose log-likelihood, that of independent images, is within 1.92 of
    the best one's. The calibration error stands beside it and does not decide: it is biased upwards by noise,
    and where a network answers all images alike its interval covers the truth too rarely. Seeds are asked one
    by one: the mean of several is less sure than any of them.
    """
    fitted = {seed: _fit(table) for seed, table in seen.seed_units.items()}
    off = [seed for seed, its in fitted.items() if its.low > _OFF or its.high < 1 / _OFF]
    eces = {seed: its["metrics"]["val/ece"] for seed, its in seen.summaries.items()}
    evidence = {
        "temperature": {str(seed): interval(its.best, its.low, its.high) for seed, its in fitted.items()},
        "ece": {str(seed): interval(its["value"], its["low"], its["high"]) for seed, its in eces.items()},
    }
    shown = off[0] if off else next(iter(fitted))
    its, ece = fitted[shown], eces[shown]
    said = (
        f"the best temperature is {number(its.best, its.low, its.high, 2)}, the calibration error"
        f" {number(ece['value'], ece['low'], ece['high'])} (seed {shown})"
    )
    if not 2 * len(off) > len(fitted):
        refuted = "more validation images, on which it is surer than it is right"
        return unseen("calibration", seen, said, evidence, refuted, seeds=len(fitted), dissent=len(off))
    confidence, why = agreeing(len(off), len(fitted), len(fitted))
    if its.best > 1 and label_noise(seen).state == "seen":
        confidence, why = "low", "wrong labels would look the same"
    return Finding(
        "calibration",
        "seen",
        f"it is {'too sure' if its.best > 1 else 'not sure enough'} of its answers: {said}",
        confidence=confidence,
        why_so_sure=why,
        evidence=evidence,
        about=("val/ece",),
        cites=seen.cites,
        refuted_by="other images on which a temperature of 1 fits as well",
    )


def _fit(table: Predictions) -> _Fitted:
    best = temperature.fit(table.label, table.logits).temperature
    if (table.logits.argmax(axis=1) == table.label).all():
        # The likelihood of a faultless table rises without end: nothing says that it is too sure.
        return _Fitted(best, LOWEST, 1 / best if best < 1 else best)
    logits = table.logits.astype(np.float64)
    losses = np.array([scores.cross_entropy(table.label, logits / one).sum() for one in (*_GRID, best)])
    within = np.array([*_GRID, best])[2 * (losses - losses.min()) <= _CHI2]
    return _Fitted(best, float(within.min()), float(within.max()))
