"""How a model treats groups of people, by fairlearn's measures (Bird et al. 2020, Hardt et al. 2016).

Whoever has cancer and is called normal is harmed, so that sensitivity and miss rate count most. Demographic
parity asks that groups are called cancer equally often, which is only wanted where they have cancer equally
often; equalized odds asks for equal sensitivity and equal false alarms, whatever the prevalence.

A group enters a measure with `ENOUGH` independent images of the kind that the measure is about: of three
images the best and the worst group are found by chance. Intervals of each group stand among the slices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.core.classes import NORMAL
from ctexp.data.caveats import ENOUGH
from ctexp.evaluation.mistakes.attributes import Attributes
from ctexp.evaluation.mistakes.cases import Cases
from ctexp.record.documents import Part

NOBODY = (
    "Nothing is known of the people in the images (age, sex, scanner, site): "
    "whether the model treats groups of them alike cannot be assessed."
)


class Measure(Part):
    """One measure in every group of a column.

    Attributes:
        groups: value of the column -> the measure there, of groups that are large enough.
        left_out: value -> how many independent images of the kind the others have; too few.
        difference: largest less smallest; null with fewer than two groups.
        ratio: smallest over largest; null likewise, and where the largest is 0.
    """

    name: str
    groups: dict[str, float]
    left_out: dict[str, int]
    difference: float | None
    ratio: float | None


class FairColumn(Part):
    """One column about people.

    Attributes:
        known: images whose value is known.
        demographic_parity_difference: of being called cancer.
        equalized_odds_difference: the larger of the differences in sensitivity and false alarms.
        equalized_odds_ratio: the smaller of the ratios.
    """

    column: str
    known: int
    measures: tuple[Measure, ...]
    demographic_parity_difference: float | None
    demographic_parity_ratio: float | None
    equalized_odds_difference: float | None
    equalized_odds_ratio: float | None


class Fairness(Part):
    """What can be said of groups of people.

    Attributes:
        said: in a sentence, for a person.
    """

    said: str
    columns: tuple[FairColumn, ...]


@dataclass(frozen=True)
class _Asked:
    """A measure: its name, fairlearn's or scikit-learn's function, and the images that it is about."""

    name: str
    function: Callable[..., float]
    about: NDArray[np.bool_]
    by_class: bool = False


def fairness(cases: Cases, known: Attributes) -> Fairness:
    """Measure every column about people that has two groups of enough images."""
    values = {name: np.array(known.columns[name], dtype=object) for name in known.people}
    columns = tuple(_column(cases, name, its) for name, its in values.items())
    if not columns:
        return Fairness(said=NOBODY, columns=())
    compared = [one.column for one in columns if any(m.difference is not None for m in one.measures)]
    if not compared:
        named = ", ".join(known.people)
        said = f"Of {named} no two groups have {ENOUGH} independent images: fairness cannot be assessed."
    else:
        said = f"Groups were compared by {', '.join(compared)}."
    return Fairness(said=said, columns=columns)


def _column(cases: Cases, name: str, values: NDArray[np.object_]) -> FairColumn:
    from fairlearn.metrics import (  # with pandas: a second
        false_negative_rate,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score

    known = np.array([value is not None for value in values])
    asked = (
        _Asked("accuracy", accuracy_score, known, by_class=True),
        _Asked("sensitivity", true_positive_rate, known & cases.cancer),
        _Asked("miss_rate", false_negative_rate, known & cases.cancer),
        _Asked("false_alarm_rate", false_positive_rate, known & ~cases.cancer),
        _Asked("called_cancer", selection_rate, known),
    )
    measures = {one.name: _measure(cases, values, one) for one in asked}
    odds = [measures["sensitivity"], measures["false_alarm_rate"]]
    parity = measures["called_cancer"]
    return FairColumn(
        column=name,
        known=int(known.sum()),
        measures=tuple(measures.values()),
        demographic_parity_difference=parity.difference,
        demographic_parity_ratio=parity.ratio,
        equalized_odds_difference=_worst(max, [one.difference for one in odds]),
        equalized_odds_ratio=_worst(min, [one.ratio for one in odds]),
    )


def _measure(cases: Cases, values: NDArray[np.object_], asked: _Asked) -> Measure:
    from fairlearn.metrics import MetricFrame

    independent = {
        value: len(np.unique(cases.group[asked.about & (values == value)]))
        for value in sorted({value for value in values if value is not None})
    }
    enough = [value for value, count in independent.items() if count >= ENOUGH]
    left_out = {value: count for value, count in independent.items() if count < ENOUGH}
    if not enough:
        return Measure(name=asked.name, groups={}, left_out=left_out, difference=None, ratio=None)
    rows = asked.about & np.isin(values.astype(str), enough)
    truth, called = (cases.label, cases.called) if asked.by_class else (cases.cancer, cases.called != NORMAL)
    frame: Any = MetricFrame(
        metrics=asked.function,
        y_true=truth[rows].astype(int),
        y_pred=called[rows].astype(int),
        sensitive_features=values[rows].astype(str),
    )
    several = len(enough) > 1
    return Measure(
        name=asked.name,
        groups={str(value): float(figure) for value, figure in frame.by_group.items()},
        left_out=left_out,
        difference=float(frame.difference()) if several else None,
        ratio=_finite(float(frame.ratio())) if several and frame.group_max() > 0 else None,
    )


def _worst(choose: Callable[[list[float]], float], values: list[float | None]) -> float | None:
    """The largest or smallest; None where one is not known."""
    known = [value for value in values if value is not None]
    return choose(known) if len(known) == len(values) else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
