"""Figures as a diagnosis says them, each with its interval; the interval of a difference of two shares."""

import math
from typing import Any

from ctexp.core.metric_names import METRICS
from ctexp.evaluation.intervals import wilson
from ctexp.planning.diagnosis.findings import Confidence

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
RARE = 0.01
"""A rule that tests may speak by chance once in a hundred times: there are a dozen of them."""


def spelled(count: int) -> str:
    """Small numbers as words."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def share(hits: int, total: int, bounds: tuple[float, float]) -> str:
    """`23 of 72 (32 %, 22 to 43)`."""
    value, low, high = (f"{100 * one:.0f}" for one in (hits / total, *bounds))
    return f"{hits} of {total:,} ({value} %, {low} to {high})"


def number(value: float, low: float | None, high: float | None, digits: int = 3) -> str:
    """`0.812 (0.741 to 0.873)`."""
    if low is None or high is None:
        return f"{value:.{digits}f} (no interval)"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def difference(value: float, low: float, high: float) -> str:
    """`+0.031 (-0.010 to +0.072)`."""
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def metric_name(metric: str) -> str:
    """`val/macro_f1` as a sentence says it: `macro F1`."""
    name = metric.partition("/")[2] or metric
    short = {"macro_f1": "macro F1", "auroc": "AUROC", "auprc": "AUPRC", "mcc": "MCC", "ece": "ECE"}
    return short.get(name, name.replace("_", " ")) if name in METRICS else name


def class_name(name: str) -> str:
    """`large_cell_carcinoma` as a sentence says it."""
    return name.replace("_", " ")


def p_value(p: float) -> str:
    """Rounded, never 0."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def newcombe(
    first: float, first_total: float, second: float, second_total: float
) -> tuple[float, float, float]:
    """The difference of two independent shares and its 95 % interval.

    The square-and-add method of Newcombe 1998 (method 10): it keeps its coverage near shares of 0 and 1,
    where the usual one collapses.

    Args:
        first: a share, 0..1.
        first_total: of how many; a fraction where images that come in groups are worth less.
        second: what is taken from it.
        second_total: likewise.

    Returns:
        first less second, and the interval's ends.
    """
    gap = first - second
    low1, high1 = wilson(first, first_total)
    low2, high2 = wilson(second, second_total)
    low = gap - math.hypot(first - low1, high2 - second)
    high = gap + math.hypot(high1 - first, second - low2)
    return gap, max(-1.0, low), min(1.0, high)


def agreeing(agree: int, trainings: int, seeds: int) -> tuple[Confidence, str]:
    """How sure what so many of the trainings show makes one: never high by folds of a single seed."""
    if trainings == 1:
        return "moderate", "one training; another seed may turn out otherwise"
    if agree < trainings:
        said = f"{spelled(agree)} of {spelled(trainings)} trainings say so"
        return ("moderate" if 2 * agree > trainings else "low"), said
    said = f"{'both' if trainings == 2 else f'all {spelled(trainings)}'} trainings say so"
    return ("high" if seeds > 2 else "moderate"), said if seeds > 1 else f"{said}, of one seed"


def plain(value: float, digits: int = 6) -> float:
    """A float that JSON can hold and two machines print alike."""
    return round(float(value), digits)


def interval(value: float, low: float | None, high: float | None) -> dict[str, Any]:
    """A figure as documents hold it."""
    ends = {"low": low, "high": high}
    return {"value": plain(value)} | {k: None if v is None else plain(v) for k, v in ends.items()}
