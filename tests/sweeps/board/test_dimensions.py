"""A parameter's values, and what samplers draw them from."""

import math
from collections import Counter

import optuna
import pytest

from ctexp.sweeps.board.dimensions import as_drawn, distribution_of, drawn_of, value_of
from ctexp.sweeps.file.sampled import at_quantile
from ctexp.sweeps.space import Bell, Choice, Dimension, Parameter, Range, Space, Value

QUANTILES = [(i + 0.5) / 400 for i in range(400)]

DIMENSIONS: list[tuple[Dimension, list[Value]]] = [
    (Choice(("a", None, True, 2, 0.5)), ["a", None, True, 2, 0.5]),
    (Choice((1, True, [1, "a"])), [1, True, [1, "a"]]),
    (Choice(("a", "b"), weights=(0.9, 0.1)), ["a", "b"]),
    (Range(0.1, 0.45, step=0.1), [0.1, 0.2, 0.3, 0.4]),
    (Range(3, 17, step=5, integer=True), [5, 10, 15]),
    (Range(1, 4, integer=True), [1, 2, 3, 4]),
    (Range(8, 64, log=True, step=8, integer=True), [8, 16, 24, 32, 40, 48, 56, 64]),
]


@pytest.mark.parametrize(("dimension", "values"), DIMENSIONS)
def test_every_value_is_drawn_and_none_but_these(dimension: Dimension, values: list[Value]) -> None:
    drawn = [at_quantile(dimension, quantile) for quantile in QUANTILES]
    assert {repr(value) for value in drawn} == {repr(value) for value in values}
    for value in values:
        assert repr(value_of(dimension, drawn_of(dimension, value))) == repr(value)


@pytest.mark.parametrize(("dimension", "values"), DIMENSIONS)
def test_a_sampler_draws_the_same_values(dimension: Dimension, values: list[Value]) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    asked = {"x": distribution_of(dimension)}
    drawn = [value_of(dimension, study.ask(asked).params["x"]) for _ in range(200)]
    assert {repr(value) for value in drawn} == {repr(value) for value in values}


def test_weights_and_bells_are_drawn_as_often_as_they_say() -> None:
    weighted = Counter(
        at_quantile(Choice(("a", "b", "c"), (0.5, 0.3, 0.2)), quantile) for quantile in QUANTILES
    )
    assert weighted == {"a": 200, "b": 120, "c": 80}

    bell = [float(str(at_quantile(Bell(3.0, 0.5), quantile))) for quantile in QUANTILES]
    assert sum(bell) / 400 == pytest.approx(3.0)
    assert sum(2.5 < one < 3.5 for one in bell) / 400 == pytest.approx(0.6827, abs=0.01)
    assert 0.0 < drawn_of(Bell(3.0, 0.5), 3.7) < 1.0
    assert value_of(Bell(3.0, 0.5), drawn_of(Bell(3.0, 0.5), 3.7)) == pytest.approx(3.7)

    log = [float(str(at_quantile(Bell(math.log(1e-3), 1.0, log=True), quantile))) for quantile in QUANTILES]
    assert sum(one < 1e-3 for one in log) == 200
    assert {at_quantile(Bell(10, 2, step=2, integer=True), 0.5), at_quantile(Bell(10, 2, step=2), 0.8)} == {
        10,
        12.0,
    }


def test_ranges_are_drawn_evenly_on_their_scale() -> None:
    rate = Range(1e-5, 1e-1, log=True)
    assert sum(float(str(at_quantile(rate, quantile))) < 1e-3 for quantile in QUANTILES) == 200
    assert at_quantile(rate, 0.0) == pytest.approx(1e-5)
    assert at_quantile(rate, 1.0) == pytest.approx(1e-1)
    assert Counter(at_quantile(Range(1, 4, integer=True), quantile) for quantile in QUANTILES) == {
        1: 100, 2: 100, 3: 100, 4: 100,
    }  # fmt: skip


def test_a_trial_is_kept_as_samplers_know_it() -> None:
    space = Space(
        (Parameter("lr", Range(1e-4, 1e-1, log=True)), Parameter("w", Choice((1, 2), (0.25, 0.75))))
    )
    drawn, distributions = as_drawn(space, {"lr": 0.01, "w": 2})
    assert drawn == {"lr": 0.01, "w~u": 0.625}
    assert distributions["w~u"] == optuna.distributions.FloatDistribution(0.0, 1.0)
    assert set(as_drawn(space, {"lr": 0.01})[0]) == {"lr"}, "what did not apply was not drawn"
