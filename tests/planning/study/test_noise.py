"""How far apart seeds are: pooled over recipes, with an interval that holds."""

import numpy as np
import pytest

from ctexp.planning.study.noise import of_images, pooled


def test_spreads_are_pooled_by_their_degrees_of_freedom() -> None:
    found = pooled([[0.1, 0.3], [0.5, 0.6, 0.7], [0.9]])
    assert found is not None
    assert found.sd == pytest.approx(((0.02 * 1 + 0.01 * 2) / 3) ** 0.5)
    assert (found.df, found.recipes) == (3, 2)


def test_single_seeds_say_nothing_of_noise() -> None:
    assert pooled([[0.1], [0.2], []]) is None


def test_the_interval_of_the_spread_holds_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(1000):
        found = pooled([list(rng.normal(centre, 0.02, 3)) for centre in (0.6, 0.7, 0.8)])
        assert found is not None
        held += found.low <= 0.02 <= found.high
    assert 930 <= held <= 967


def test_the_error_of_images_is_half_an_interval_over_the_quantile() -> None:
    assert of_images([(0.6, 0.6 + 2 * 1.959964 * 0.03), None]) == pytest.approx(0.03)
    assert of_images([None]) is None
