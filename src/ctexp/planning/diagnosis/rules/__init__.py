"""The rules: pure functions of what was gathered, each with one finding, in the order in which they count."""

from collections.abc import Callable

from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.findings import Finding, Kind
from ctexp.planning.diagnosis.rules.calibration import calibration
from ctexp.planning.diagnosis.rules.capacity import capacity
from ctexp.planning.diagnosis.rules.confused_pair import confused_pair
from ctexp.planning.diagnosis.rules.fitting import cut_short, overfitting, underfitting
from ctexp.planning.diagnosis.rules.imbalance import imbalance
from ctexp.planning.diagnosis.rules.instability import all_diverged, instability
from ctexp.planning.diagnosis.rules.label_noise import label_noise
from ctexp.planning.diagnosis.rules.leakage import leakage
from ctexp.planning.diagnosis.rules.noise_floor import noise_floor_unknown
from ctexp.planning.diagnosis.rules.resolution import resolution
from ctexp.planning.diagnosis.rules.seed_variance import seed_variance

Rule = Callable[[Evidence], Finding]

RULES: dict[Kind, Rule] = {
    "leakage": lambda seen: leakage(seen.data),
    "noise_floor_unknown": noise_floor_unknown,
    "instability": instability,
    "label_noise": label_noise,
    "cut_short": cut_short,
    "underfitting": underfitting,
    "overfitting": overfitting,
    "imbalance": imbalance,
    "confused_pair": confused_pair,
    "calibration": calibration,
    "capacity": capacity,
    "resolution": resolution,
    "seed_variance": seed_variance,
}

OF_ANSWERS: tuple[Kind, ...] = ("label_noise", "imbalance", "confused_pair", "calibration", "resolution")
"""Those about answers: they have nothing to say of guesses."""

__all__ = ["OF_ANSWERS", "RULES", "Rule", "all_diverged", "leakage"]
