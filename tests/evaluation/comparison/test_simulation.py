"""The promises of the verdict where the truth is known; `simulation` prints the documentation's figures."""

import numpy as np
import pytest

from tests.evaluation.comparison.simulation import (
    ALPHA,
    FAMILY,
    World,
    covered,
    false_alarms,
    repeat,
    verdicts,
)

pytestmark = pytest.mark.slow
TIMES = 100


def test_equal_experiments_are_told_apart_no_more_often_than_stated() -> None:
    worlds = [
        World(72),
        World(72, (5, 5), spread=1.0),
        World(72, spread=1.0),
        World(269, spread=0.5),
        World(269, spread=1.0, copies=3),
        World(269, (2, 2), spread=4.0),
        World(269, (5, 5), spread=1.0),
        World(1000, spread=1.0),
    ]
    chance = 2.6 * np.sqrt(ALPHA * (1 - ALPHA) / TIMES)
    for world, rate in zip(worlds, false_alarms(worlds, TIMES), strict=True):
        assert rate <= ALPHA + chance, world


def test_differences_worth_having_are_found() -> None:
    worlds = [World(1000, gain=0.10, spread=1.0), World(269, (5, 5), spread=1.0, gain=0.10)]
    for world, called in zip(worlds, repeat(verdicts, worlds, 40), strict=True):
        assert called[:, FAMILY.index("accuracy")].mean() > 0.8, world
        assert not called[:, len(FAMILY) :].any(), world


def test_intervals_hold_the_truth() -> None:
    worlds = [World(count, gain=0.05, copies=copies) for count in (72, 269) for copies in (1, 3)]
    for world, held in zip(worlds, repeat(covered, worlds, TIMES), strict=True):
        rates = np.nanmean(held, axis=0)
        assert (rates[: len(FAMILY)] > 0.85).all(), (world, rates)
        assert (rates[len(FAMILY) :] > 0.93).all(), (world, rates)
