"""Fairness: the figures recomputed by counting, groups too small, the sentence when nothing is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ctexp.core.classes import NORMAL
from ctexp.evaluation.mistakes.attributes import Attributes, attributes
from ctexp.evaluation.mistakes.fairness import NOBODY, Fairness, fairness
from tests.evaluation.mistakes.tables import drawn, rows

FOUND = drawn(400, 1.0, 1)
SEX = np.array(["F" if place % 3 else "M" for place in range(400)])


def by(values: NDArray[Any], column: str = "sex") -> Fairness:
    return fairness(FOUND, Attributes({column: tuple(values.tolist())}, (column,), 0))


def rates(of: str) -> tuple[float, float, float, float]:
    """Accuracy, sensitivity, false alarms and share called cancer of one group, by counting."""
    here, called = of == SEX, FOUND.called != NORMAL
    cancer = FOUND.label != NORMAL
    return (
        float((FOUND.called == FOUND.label)[here].mean()),
        float(called[here & cancer].mean()),
        float(called[here & ~cancer].mean()),
        float(called[here].mean()),
    )


def test_the_figures_are_those_of_counting() -> None:
    (column,) = by(SEX).columns
    measures = {one.name: one for one in column.measures}
    women, men = rates("F"), rates("M")

    for place, name in enumerate(("accuracy", "sensitivity", "false_alarm_rate", "called_cancer")):
        told = measures[name]
        assert told.groups == pytest.approx({"F": women[place], "M": men[place]})
        assert told.difference == pytest.approx(abs(women[place] - men[place]))
        assert told.ratio == pytest.approx(min(women[place], men[place]) / max(women[place], men[place]))
    assert measures["miss_rate"].groups == pytest.approx({"F": 1 - women[1], "M": 1 - men[1]})
    assert column.demographic_parity_difference == pytest.approx(abs(women[3] - men[3]))
    assert column.equalized_odds_difference == pytest.approx(
        max(abs(women[place] - men[place]) for place in (1, 2))
    )
    assert column.known == 400


def test_a_few_images_of_a_group_decide_nothing() -> None:
    sex = np.where(np.arange(400) < 5, "X", SEX)
    (column,) = by(sex).columns

    for one in column.measures:
        assert "X" not in one.groups
        assert 0 < one.left_out["X"] <= 5


def test_with_one_group_of_enough_images_nothing_is_compared() -> None:
    found = by(np.where(np.arange(400) < 5, "M", "F"))

    assert found.said == "Of sex no two groups have 10 independent images: fairness cannot be assessed."
    assert all(one.difference is None for one in found.columns[0].measures)
    assert found.columns[0].equalized_odds_difference is None


def test_copies_do_not_make_a_group_large() -> None:
    grouped = drawn(400, 1.0, 1, groups=[place // 40 for place in range(400)])
    sex = tuple("M" if place < 200 else "F" for place in range(400))
    found = fairness(grouped, Attributes({"sex": sex}, ("sex",), 0))

    assert "cannot be assessed" in found.said


def test_unknown_values_are_left_out() -> None:
    values = np.array([None if place < 100 else one for place, one in enumerate(SEX)], dtype=object)
    (column,) = by(values).columns

    assert column.known == 300
    assert set(column.measures[0].groups) == {"F", "M"}


def test_a_sensitivity_of_zero_everywhere_has_no_ratio() -> None:
    blind = replace(FOUND, called=np.full(400, NORMAL))
    (column,) = fairness(blind, Attributes({"sex": tuple(SEX.tolist())}, ("sex",), 0)).columns
    told = {one.name: one for one in column.measures}["sensitivity"]

    assert (told.difference, told.ratio) == (0.0, None)


def test_without_columns_about_people_it_says_so() -> None:
    assert fairness(FOUND, attributes(FOUND, rows(FOUND))) == Fairness(said=NOBODY, columns=())
