"""Formulas over figures, against independent programs; what is undefined, counted, or without an interval."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ctexp.core.errors import UsageError
from ctexp.research import deriving
from ctexp.research.figures import Cited, Figure
from tests.research import answers

ONE = [0.91, 0.87, 0.895, 0.88]
OTHER = [0.83, 0.86, 0.81]
EXACTLY = 1e-12


def figures(values: list[float | None]) -> list[Figure]:
    return [Figure(value=value) for value in values]


def test_the_mean_over_seeds_has_students_interval() -> None:
    found = deriving.derived("mean", figures(list(ONE)))
    low, high = DescrStatsW(ONE).tconfint_mean(alpha=0.05)
    assert found.value == pytest.approx(np.mean(ONE), rel=EXACTLY)
    assert (found.low, found.high) == pytest.approx((low, high), rel=EXACTLY)


def test_the_spread_over_seeds_has_the_chi_square_interval() -> None:
    found = deriving.derived("sd", figures(list(ONE)))
    df, variance = len(ONE) - 1, np.var(ONE, ddof=1)
    low, high = (math.sqrt(df * variance / stats.chi2.ppf(tail, df)) for tail in (0.975, 0.025))
    assert found.value == pytest.approx(np.std(ONE, ddof=1), rel=EXACTLY)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_a_difference_of_means_has_welchs_interval() -> None:
    a, b = (deriving.derived("mean", figures(list(values))) for values in (ONE, OTHER))
    found = deriving.derived("difference", (a, b))
    compared = CompareMeans(DescrStatsW(ONE), DescrStatsW(OTHER))
    low, high = compared.tconfint_diff(usevar="unequal")
    assert found.value == pytest.approx(np.mean(ONE) - np.mean(OTHER), rel=EXACTLY)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = {"mean": 0, "sd": 0}
    for values in rng.normal(0.8, 0.05, (400, 3)):
        for name, truth in (("mean", 0.8), ("sd", 0.05)):
            found = deriving.derived(name, figures([float(value) for value in values]))  # type: ignore[arg-type]
            held[name] += bool(found.low is not None and found.high and found.low <= truth <= found.high)
    assert all(367 < times < 393 for times in held.values())


@pytest.mark.parametrize("formula", ["mean", "sd", "sum", "minimum", "maximum"])
def test_what_is_undefined_stays_undefined(formula: str) -> None:
    found = deriving.derived(formula, figures([0.5, None, 0.7]))  # type: ignore[arg-type]
    assert (found.value, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5, 0.5], [0.1 + 0.2, 0.1 + 0.2]])
def test_seeds_that_tell_nothing_of_others_give_no_interval(values: list[float]) -> None:
    mean, spread = (
        deriving.derived("mean", figures(list(values))),
        deriving.derived("sd", figures(list(values))),
    )
    assert (mean.value, mean.low, mean.high) == (values[0], None, None)
    assert (spread.low, spread.high) == (None, None)
    assert spread.value == (None if len(values) == 1 else 0.0)


def test_a_difference_of_single_figures_has_no_interval() -> None:
    a, b = Figure(value=0.9, low=0.8, high=0.95), Figure(value=0.7, low=0.6, high=0.8)
    found = deriving.derived("difference", (a, b))
    assert found.value == pytest.approx(0.2)
    assert found.low is None


def test_counted_figures_stay_counted_but_for_what_is_more_than_counting() -> None:
    counts = [deriving.count(number) for number in (3, 5)]
    assert deriving.derived("sum", counts).exact
    assert deriving.derived("difference", counts).exact
    assert not deriving.derived("mean", counts).exact
    assert not deriving.derived("sum", [counts[0], Figure(value=0.5)]).exact


@pytest.mark.parametrize(("formula", "number"), [("mean", 0), ("difference", 1), ("difference", 3)])
def test_too_few_and_too_many_are_refused(formula: str, number: int) -> None:
    with pytest.raises(UsageError, match="takes"):
        deriving.derived(formula, figures([0.5] * number))  # type: ignore[arg-type]


@settings(max_examples=30)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6))
def test_it_comes_back_from_its_record_and_is_the_same_again(values: list[float]) -> None:
    made = deriving.derived("mean", figures(list(values)))
    read = Figure.model_validate_json(made.model_dump_json())
    assert read == made
    assert read.mark == made.mark
    again = deriving.derived("mean", read.source.of)  # type: ignore[union-attr]
    assert json.dumps(again.model_dump(mode="json")) == json.dumps(made.model_dump(mode="json"))


def test_a_training_behind_two_of_the_figures_leaves_no_interval() -> None:
    one, other, again = answers.figure(0.5), answers.figure(0.6), answers.figure(0.7)
    here, there = (
        [
            part.model_copy(
                update={"source": Cited(file=f"{run}/m.json", run=run, sha256="0" * 64, key=("x",))}
            )
            for part, run in zip((one, other, again), runs, strict=True)
        ]
        for runs in (("a", "b", "c"), ("d", "d", "e"))
    )
    assert deriving.derived("mean", here).low is not None
    for formula in ("mean", "sd"):
        assert (deriving.derived(formula, there).value, deriving.derived(formula, there).low) == (
            deriving.derived(formula, here).value,
            None,
        )
    assert (
        deriving.derived("difference", [deriving.derived("mean", here), deriving.derived("mean", there)]).low
        is None
    )
    gains = [deriving.derived("difference", (figure, figure)) for figure in here]
    shifted = [gain.model_copy(update={"value": n / 10}) for n, gain in enumerate(gains)]
    assert (
        deriving.derived("mean", shifted).low is not None
    )  # one training on both sides of one difference is its own
