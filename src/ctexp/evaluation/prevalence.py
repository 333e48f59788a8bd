"""What an answer is worth among people of whom a stated share has cancer.

A data set has as many cancers as its makers put in; where the network is to be asked there are fewer. The
predictive values follow from sensitivity, specificity and the prevalence p (Bayes), and their intervals are
made on the logit scale (Mercaldo, Lau & Zhou 2007, Statistics in Medicine 26, 2170-2183):

    logit PPV = log(sens p / ((1 - spec)(1 - p))),  variance (1 - sens)/(sens n1) + spec/((1 - spec) n0)
    logit NPV = log(spec (1 - p) / ((1 - sens) p)),  variance sens/((1 - sens) n1) + (1 - spec)/(spec n0)

with n1 people with cancer and n0 without. Where one of the four shares is 0, both are first moved towards a
half as Agresti & Coull 1998 do, by z^2 more people of whom half are hits, which that paper proposes too.
"""

import numpy as np
from scipy.special import expit

from ctexp.evaluation.intervals import Z


def predictive_values(
    sensitivity: float, cancers: float, specificity: float, others: float, prevalence: float
) -> dict[str, tuple[float, tuple[float, float]]]:
    """`ppv` and `npv` with their 95 % bounds.

    Args:
        sensitivity: share of the cancers that are called cancer.
        cancers: how many there are, above 0; a fraction where grouping makes them worth less than they are.
        specificity: share of the others that are not.
        others: how many there are, likewise.
        prevalence: share of people with cancer, above 0 and below 1.

    Returns:
        A value is NaN where nobody would get that answer.
    """
    values = {
        name: right / (right + wrong) if right + wrong > 0 else float("nan")
        for name, (right, wrong) in _shares(sensitivity, specificity, prevalence).items()
    }
    if min(sensitivity, specificity) <= 0 or max(sensitivity, specificity) >= 1:
        sensitivity, cancers = _towards_a_half(sensitivity, cancers)
        specificity, others = _towards_a_half(specificity, others)
    shares = _shares(sensitivity, specificity, prevalence)
    variances = {
        "ppv": (1 - sensitivity) / (sensitivity * cancers) + specificity / ((1 - specificity) * others),
        "npv": sensitivity / ((1 - sensitivity) * cancers) + (1 - specificity) / (specificity * others),
    }
    found = {}
    for name, variance in variances.items():
        right, wrong = shares[name]
        middle, step = np.log(right) - np.log(wrong), Z * np.sqrt(variance)
        found[name] = values[name], (float(expit(middle - step)), float(expit(middle + step)))
    return found


def _shares(sensitivity: float, specificity: float, prevalence: float) -> dict[str, tuple[float, float]]:
    """Of all people, those who get an answer rightly and those who get it wrongly."""
    return {
        "ppv": (sensitivity * prevalence, (1 - specificity) * (1 - prevalence)),
        "npv": (specificity * (1 - prevalence), (1 - sensitivity) * prevalence),
    }


def _towards_a_half(share: float, count: float) -> tuple[float, float]:
    return (share * count + Z**2 / 2) / (count + Z**2), count + Z**2
