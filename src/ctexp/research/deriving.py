"""Figures worked out of other figures, each by a named formula, so that anybody can do it again.

mean         over seeds, with Student's t interval (Student 1908): mean ± t(n-1) s / √n
sd           over seeds, with the chi-square interval (Cochran 1934): s √((n-1) / χ²(n-1)), which takes the
             seeds' values for normal; undefined for a single seed
difference   the first less the second; of two means over at least two seeds each with Welch's interval
             (Welch 1947). For two single figures there is none here: compare their runs on the same images
sum, minimum, maximum

The interval of a mean is about training with other seeds. That the same images judged all of them is not in
it: the interval of a difference on the same images is that of the paired comparison. With one seed, or with
seeds that all gave the same number, nothing tells how others would turn out, and there is no interval; nor
where a training stands behind two of the figures, since the same seed again is not another.

What is undefined stays undefined. A formula that knows nothing of its error gives no interval: counted
figures stay counted, and of all others the result can be no more than borderline.
"""

import math
from collections.abc import Callable, Sequence

from scipy.special import chdtri, stdtrit

from ctexp.core.errors import UsageError
from ctexp.research.figures import Cited, Compared, Derived, Figure, Formula

_LEVEL = 0.95
_UPPER = (1 + _LEVEL) / 2


def derived(formula: Formula, figures: Sequence[Figure]) -> Figure:
    """What a formula makes of figures.

    Args:
        formula: its name.
        figures: what it is worked out of, at least one; in their order for a difference.

    Raises:
        UsageError: there are too few or too many of them.
    """
    wanted = 2 if formula == "difference" else 1
    if len(figures) < wanted or (formula == "difference" and len(figures) > wanted):
        number = "two figures" if wanted == 2 else "at least one figure"
        raise UsageError(f"{formula}: takes {number}, got {len(figures)}")
    source = Derived(formula=formula, of=tuple(figures))
    digits = max(figure.digits for figure in figures)
    values = [figure.value for figure in figures if figure.value is not None]
    if len(values) < len(figures):
        return Figure(value=None, digits=digits, source=source)
    value, bounds = _FORMULAS[formula](values, figures)
    exact = formula not in _UNSURE and all(figure.exact for figure in figures)
    low, high = bounds or (None, None)
    return Figure(value=value, low=low, high=high, exact=exact, digits=digits, source=source)


def count(number: int) -> Figure:
    """A number that was counted: exact, and merely reported, unless it was cited."""
    return Figure(value=float(number), exact=True, digits=0)


_Result = tuple[float | None, tuple[float, float] | None]


def _mean(values: Sequence[float], figures: Sequence[Figure]) -> _Result:
    middle, spread = _moments(values)
    if not spread or not _independent(figures):
        return middle, None
    half = float(stdtrit(len(values) - 1, _UPPER)) * spread / math.sqrt(len(values))
    return middle, (middle - half, middle + half)


def _sd(values: Sequence[float], figures: Sequence[Figure]) -> _Result:
    if len(values) < 2:
        return None, None
    spread = _moments(values)[1]
    if not spread:
        return 0.0, None
    if not _independent(figures):
        return spread, None
    df = len(values) - 1
    # chdtri takes the probability of the upper tail.
    low, high = (spread * math.sqrt(df / float(chdtri(df, tail))) for tail in (1 - _UPPER, _UPPER))
    return spread, (low, high)


def _difference(values: Sequence[float], figures: Sequence[Figure]) -> _Result:
    a, b = values
    sides = [_seeds(figure) for figure in figures]
    if any(len(side) < 2 for side in sides):
        return a - b, None
    parts = [_moments(side)[1] ** 2 / len(side) for side in sides]
    if not all(parts):
        return a - b, None
    df = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, sides, strict=True))
    half = float(stdtrit(df, _UPPER)) * math.sqrt(sum(parts))
    return a - b, (a - b - half, a - b + half)


def _seeds(figure: Figure) -> list[float]:
    """The values of other trainings that a mean was taken of; none of every other figure."""
    source = figure.source
    if not isinstance(source, Derived) or source.formula != "mean" or not _independent(source.of):
        return []
    return [part.value for part in source.of if part.value is not None]


def _independent(figures: Sequence[Figure]) -> bool:
    """Whether no training stands behind two of them."""
    behind = [run for figure in figures for run in _trainings(figure)]
    return len(set(behind)) == len(behind)


def _trainings(figure: Figure) -> set[str]:
    """The runs that a figure, and all it was derived from, was measured on."""
    found = set[str]()
    for source in (part.source for part in figure.whole()):
        if isinstance(source, Cited) and source.run is not None:
            found.add(source.run)
        elif isinstance(source, Compared):
            found |= {*source.baseline, *source.candidate}
    return found


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of a sample; 0 for a single value.

    Equal values have exactly no spread, whatever rounding makes of their mean; `fsum` gives the same in any
    order.
    """
    middle = math.fsum(values) / len(values)
    if len(set(values)) == 1:
        return values[0], 0.0
    return middle, math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


_FORMULAS: dict[str, Callable[[Sequence[float], Sequence[Figure]], _Result]] = {
    "mean": _mean,
    "sd": _sd,
    "difference": _difference,
    "sum": lambda values, _: (math.fsum(values), None),
    "minimum": lambda values, _: (min(values), None),
    "maximum": lambda values, _: (max(values), None),
}
_UNSURE = {"mean", "sd"}
"""Formulas that speak of more than what was counted."""
