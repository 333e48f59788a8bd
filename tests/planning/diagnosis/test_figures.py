"""Figures of a diagnosis: intervals that hold what they say, confidence that is earned."""

import numpy as np
import pytest

from ctexp.evaluation import guessing
from ctexp.planning.diagnosis import figures
from ctexp.planning.diagnosis.unseen import absent
from tests.planning.diagnosis.made import answers


def test_the_published_interval_of_a_difference() -> None:
    """Newcombe 1998, table II, example (a), method 10: 56/70 less 48/80."""
    gap, low, high = figures.newcombe(56 / 70, 70, 48 / 80, 80)
    assert gap == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_difference_of_two_faultless_shares_has_a_width() -> None:
    _, low, high = figures.newcombe(1.0, 600, 1.0, 70)
    assert low < 0 < high


def test_one_training_never_makes_high_confidence() -> None:
    assert figures.agreeing(1, 1, 1)[0] == "moderate"
    assert figures.agreeing(5, 5, 1)[0] == "moderate"  # five folds of one seed
    assert figures.agreeing(3, 3, 3)[0] == "high"
    assert figures.agreeing(1, 3, 3)[0] == "low"
    assert absent(1, 1000)[0] == "low"
    assert absent(3, 1000)[0] == "high"
    assert absent(3, 70)[0] == "moderate"
    assert absent(3, 1000, dissent=1)[0] == "low"


def test_guesses_are_told_from_answers() -> None:
    """By the ranks alone: a network that always answers one class may still have learned."""
    [guess] = answers([30] * 4, 1).values()
    noise = np.random.default_rng(1).normal(size=(120, 4))
    assert guessing.p_value(guess.label, noise) > 0.05
    [known] = answers([30] * 4, 1.5).values()
    one_sided = known.logits + np.array([20, 0, 0, 0])
    assert (one_sided.argmax(axis=1) == 0).all()
    assert guessing.p_value(known.label, one_sided) < 0.001
    assert guessing.p_value(known.label, np.ones((120, 4))) == 1.0


def test_chance_is_exceeded_as_often_as_it_says() -> None:
    label, rng = np.repeat(np.arange(4), 15), np.random.default_rng(3)
    p = [guessing.p_value(label, rng.normal(size=(60, 4))) for _ in range(60)]
    assert np.mean(np.array(p) <= 0.1) <= 0.25
    assert 0.3 < np.mean(p) < 0.7
