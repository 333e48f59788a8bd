"""Numbers and names as they stand in a sentence of the page."""

import math
import re
from collections.abc import Mapping
from typing import Any

from ctexp.core import clock

_NAMES = {
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "miss_rate": "miss rate",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "mcc": "MCC",
    "ece": "calibration error",
    "brier": "Brier score",
    "val": "validation",
    "oof": "out of fold",
    "train": "training",
}


_OF_A_SPLIT = re.compile(r"\b(train|val|test|oof)/(\w+)")
_MINUS = re.compile(r"(?<![\w.)])-(?=[\d.])")


def plain(name: str) -> str:
    """A class's, metric's or split's name in a sentence: `macro_f1` is `macro F1`."""
    return _NAMES.get(name) or name.replace("_", " ")


def measured(entry: Mapping[str, Any] | None) -> str:
    """`0.812 (0.741 to 0.871)`, a dash where there is no value."""
    if entry is None or entry.get("value") is None:
        return "–"
    if entry.get("low") is None or entry.get("high") is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} ({entry['low']:.3f} to {entry['high']:.3f})"


def signed(its: Any) -> str:
    """`+0.051 (−0.012 to +0.113)` of anything with `difference`, `low` and `high`; with a true minus sign."""
    if its.difference is None:
        return "–"
    value = _plus(its.difference, 3)
    if its.low is not None and its.high is not None:
        value += f" ({_plus(its.low, 3)} to {_plus(its.high, 3)})"
    return value


def percent(value: float | None) -> str:
    """`9.5 %`, halves upwards as the page's script rounds them; a dash for None."""
    return "–" if value is None else f"{_tenths(value)} %"


def sentence(words: str) -> str:
    """A line written for a terminal as a sentence: a capital, a full stop, true minus signs and arrows."""
    if not words:
        return ""
    told = _MINUS.sub("−", words.replace("->", "→"))
    told = _OF_A_SPLIT.sub(lambda found: f"{plain(found[2])} {where(found[1])}", told)
    for name, said in _NAMES.items():
        if "_" in name:
            told = told.replace(name, said)
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def where(split: str) -> str:
    """`on validation`, `on test`, `out of fold`."""
    return "out of fold" if split == "oof" else f"on {plain(split)}"


def _plus(value: float, digits: int) -> str:
    """A number with its sign, zero without one."""
    said = f"{value:+.{digits}f}"
    return said[1:] if float(said) == 0 else said.replace("-", "−")


def _tenths(value: float) -> str:
    """Per cent with one digit. Python's own rounding takes exact halves to the even digit, a browser's up."""
    return f"{math.floor(1000 * value + 0.5) / 10:.1f}"


def three(value: float | None) -> str:
    """A number with three digits; a dash for None."""
    return "–" if value is None else f"{value:.3f}"


def p_value(value: float | None) -> str:
    """`0.013`, `under 0.0001`; a dash where nothing was tested."""
    if value is None:
        return "–"
    return "under 0.0001" if value < 1e-4 else f"{value:.2g}"


def bounds(its: Any) -> str:
    """`84.2 to 98.7 %, 40 of 42` of an `operating.Share`."""
    if its.value is None:
        return "no such images"
    return f"{_tenths(its.low)} to {_tenths(its.high)} %, {its.hits} of {its.total}"


def interval(its: Any) -> str:
    """`91 % (80 to 96)` of anything with `value`, `low` and `high`."""
    if its.value is None:
        return "–"
    value = f"{100 * its.value:.0f} %"
    return value if its.low is None else f"{value} ({100 * its.low:.0f} to {100 * its.high:.0f})"


def points(its: Any) -> str:
    """`−12 (−25 to +3) points` of a difference of two shares."""
    if its.value is None:
        return "–"
    value, low, high = (_plus(100 * figure, 0) for figure in (its.value, its.low, its.high))
    return f"{value} ({low} to {high}) points"


def unit(value: float | None, name: str) -> str:
    """`1,234 MiB`; a digit after the point below ten."""
    if value is None:
        return "–"
    return f"{value:,.1f}{name}" if value < 10 else f"{value:,.0f}{name}"


def minutes(value: float | None) -> str:
    """A number of minutes as a duration."""
    return "–" if value is None else clock.duration(60 * value)
