"""The value of trying a move, against simulation."""

import numpy as np
import pytest

from ctexp.planning.moves.value import Belief, Offer, expected_gain, ranked


@pytest.mark.parametrize(
    ("mean", "sd", "se", "critical"),
    [
        (0.01, 0.02, 0.015, 0.03),
        (-0.02, 0.03, 0.01, 0.02),
        (0.05, 0.01, 0.02, 0.04),
        (0.0, 0.02, 0.0, 0.0),
        (0.01, 0.0001, 0.05, 0.1),
    ],
)
def test_expected_gain_is_what_simulation_gives(mean: float, sd: float, se: float, critical: float) -> None:
    rng = np.random.default_rng(3)
    gain = rng.normal(mean, sd, 1_000_000)
    kept = (
        np.where(gain + rng.normal(0, se, gain.size) > critical, gain, 0.0)
        if se
        else gain * (gain > critical)
    )
    error = float(kept.std()) / np.sqrt(kept.size)
    assert expected_gain(Belief(mean, sd), se, critical) == pytest.approx(float(kept.mean()), abs=5 * error)


def test_nothing_is_gained_where_nothing_can_be_told() -> None:
    assert expected_gain(Belief(0.01, 0.02), 0.5, 5.0) == pytest.approx(0.0, abs=1e-9)
    assert expected_gain(Belief(0.01, 0.0), 0.0, 0.02) == 0.0
    assert expected_gain(Belief(0.03, 0.0), 0.0, 0.02) == 0.03


def test_an_unsure_move_is_worth_more_than_a_sure_one_of_the_same_mean() -> None:
    sure, unsure = (expected_gain(Belief(0.005, sd), 0.01, 0.02) for sd in (0.005, 0.03))
    assert unsure > 3 * sure


def test_moves_are_ranked_by_gain_a_minute_and_equals_by_name() -> None:
    short, long = (
        Offer(name, Belief(0.02, 0.02), 0.01, 0.02, minutes) for name, minutes in (("s", 10), ("l", 30))
    )
    other = Offer("a", short.belief, short.se, short.critical, short.minutes)
    better = Offer("b", Belief(0.04, 0.02), 0.01, 0.02, 30)
    assert [one.title for one in ranked([long, short, other])] == ["a", "s", "l"]
    assert ranked([long, better])[0] is better
    assert ranked([Offer("n", short.belief, 0.01, 0.02, 0.0), short])[0].title == "n"
