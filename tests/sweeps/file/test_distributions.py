"""Each distribution means what W&B's documents say it means."""

import math
from pathlib import Path
from random import Random
from statistics import NormalDist

import pytest

from ctexp.sweeps.file.sampled import at_quantile, ends
from ctexp.sweeps.space import Bell, Choice, Dimension, Range
from tests.sweeps.file.sheets import dimension

E = math.e


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("value: 3", Choice((3,))),
        ("value: null", Choice((None,))),
        ("distribution: constant, value: x", Choice(("x",))),
        ("values: [1, 2.5, x, true, null, [1, 2]]", Choice((1, 2.5, "x", True, None, [1, 2]))),
        ("distribution: categorical, values: [1, 2, 1]", Choice((1, 2))),
        ("values: [a, b], probabilities: [0.9, 0.1]", Choice(("a", "b"), (0.9, 0.1))),
        ("values: [a, b, a], probabilities: [0.5, 0.25, 0.25]", Choice(("a", "b"), (0.75, 0.25))),
        ("values: [a, b, c], probabilities: [0.5, 0, 0.5]", Choice(("a", "c"), (0.5, 0.5))),
        ("min: 1, max: 9", Range(1, 9, integer=True)),
        ("min: 1.0, max: 9.0", Range(1.0, 9.0)),
        ("min: 1e-5, max: 1e-2", Range(1e-5, 1e-2)),
        ("distribution: uniform, min: 0, max: 1", Range(0.0, 1.0)),
        ("distribution: int_uniform, min: 2, max: 2", Choice((2,))),
        ("distribution: q_uniform, min: 0, max: 10", Range(0, 10, step=1.0, integer=True)),
        ("distribution: q_uniform, min: 0.05, max: 0.5, q: 0.2", Range(0.2, 0.4, step=0.2)),
        ("distribution: log_uniform, min: -2, max: 1", Range(math.exp(-2), E, log=True)),
        ("distribution: inv_log_uniform, min: -1, max: 2", Range(math.exp(-2), E, log=True)),
        ("distribution: log_uniform_values, min: 0.01, max: 1", Range(0.01, 1.0, log=True)),
        ("distribution: inv_log_uniform_values, min: 0.01, max: 1", Range(0.01, 1.0, log=True)),
        ("distribution: q_log_uniform, min: 0, max: 3, q: 2", Range(2, 20, True, 2, True)),
        ("distribution: q_log_uniform_values, min: 1, max: 64, q: 8", Range(8, 64, True, 8, True)),
        ("distribution: normal", Bell(0.0, 1.0)),
        ("distribution: normal, mu: 3, sigma: 0.5", Bell(3, 0.5)),
        ("distribution: log_normal, mu: -7, sigma: 1", Bell(-7, 1, log=True)),
        ("distribution: q_normal, mu: 32, sigma: 8, q: 8", Bell(32, 8, step=8, integer=True)),
        ("distribution: q_log_normal, mu: 1, q: 0.5", Bell(1, 1.0, log=True, step=0.5)),
    ],
)
def test_what_an_entry_means(tmp_path: Path, entry: str, expected: Dimension) -> None:
    assert dimension(tmp_path, entry) == expected


def test_draws_lie_where_the_distribution_has_them() -> None:
    share = [0.1, 0.25, 0.5, 0.9]
    assert [at_quantile(Range(2.0, 4.0), one) for one in share] == pytest.approx([2.2, 2.5, 3.0, 3.8])
    assert [at_quantile(Range(1e-4, 1.0, log=True), one) for one in (0.0, 0.5, 1.0)] == pytest.approx(
        [1e-4, 1e-2, 1]
    )
    normal = NormalDist(3, 2)
    assert [normal.cdf(float(str(at_quantile(Bell(3, 2), one)))) for one in share] == pytest.approx(
        share, abs=2e-4
    )
    assert at_quantile(Bell(-7, 1, log=True), 0.5) == pytest.approx(math.exp(-7), rel=1e-3)
    assert at_quantile(Bell(32, 8, step=8, integer=True), 0.9) == 40
    weighted = Choice(("a", "b"), (0.8, 0.2))
    assert [at_quantile(weighted, one) for one in (0.0, 0.79, 0.81, 1.0)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("its", "quantile", "expected"),
    [
        (Range(1e-5, 0.1, log=True), 0.123, 3.105e-05),
        (Range(math.exp(-10), math.exp(-1), log=True), 0.0, 4.54e-05),  # rounded inwards
        (Range(math.exp(-10), math.exp(-1), log=True), 1.0, 0.3678),
        (Range(0.999, 0.9999), 0.1234, 0.9991111),  # four digits of the width
        (Range(-1.0, 1.0), 0.5, 0.0),
        (Bell(-7, 1, log=True), 0.5, 0.0009119),
        (Bell(1000.0, 0.01), 0.4, 999.99747),
    ],
)
def test_a_number_is_drawn_in_few_digits(its: Range | Bell, quantile: float, expected: float) -> None:
    assert at_quantile(its, quantile) == expected


def test_short_numbers_stay_within_any_range() -> None:
    rng = Random(5)
    for _ in range(500):
        low = rng.choice([-1, 1]) * 10 ** rng.uniform(-9, 9)
        its = Range(low, low + abs(low) * 10 ** rng.uniform(-12, 3))
        drawn = [float(str(at_quantile(its, quantile / 20))) for quantile in range(21)]
        assert all(its.low <= value <= its.high for value in drawn)
        assert drawn == sorted(drawn)


def test_stepped_draws_are_clean_multiples() -> None:
    tenths = Range(0.1, 0.7, step=0.1)
    assert {at_quantile(tenths, number / 100) for number in range(101)} == {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}
    assert {type(at_quantile(Range(8, 64, step=8, integer=True), number / 50)) for number in range(51)} == {
        int
    }


def test_ends_are_included() -> None:
    assert ends(Range(1e-5, 1e-2, log=True)) == (1e-5, 1e-2)
    assert ends(Choice((1, 2, 3))) == (1, 2, 3)
