"""The advisor against chance, on surfaces where the truth is known: fewer of them than the benchmark has."""

import pytest

from benchmarks.advisor import CHOICES, Noise, World, course, known_best, options, ratio, simulate

CALM = Noise("calm", seed=0.01, images=0.01)
SURFACES = 30


@pytest.fixture(scope="module")
def surfaces() -> dict[bool, tuple[float, float, float]]:
    """Regret of the advisor over that of chance, with priors right and wrong."""
    found = {right: simulate(CALM, right, SURFACES).regret for right in (True, False)}
    return {right: ratio(its["advisor"], its["random"]) for right, its in found.items()}


def test_with_priors_that_are_right_it_beats_chance(surfaces: dict[bool, tuple[float, float, float]]) -> None:
    mean, low, high = surfaces[True]
    assert low < mean < high < 1


def test_with_priors_that_are_wrong_it_is_hardly_worse(
    surfaces: dict[bool, tuple[float, float, float]],
) -> None:
    assert surfaces[False][1] < 1.15


def test_a_course_is_the_same_each_time() -> None:
    world = World(options(), CALM, seed=7)
    beliefs = {name: one.prior for name, one in world.options.items()}
    for choice in CHOICES.values():
        assert course(choice, world, beliefs) == course(choice, World(options(), CALM, seed=7), beliefs)


def test_who_knows_the_truth_never_loses_by_a_night() -> None:
    best = known_best(World(options(), CALM, seed=7))
    assert best == sorted(best)
    assert best[0] > 0
