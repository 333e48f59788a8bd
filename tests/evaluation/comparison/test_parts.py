"""The parts of an error, and what would decide a difference, reckoned by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from ctexp.evaluation.comparison.effect import Effect, SeedSource, Side, effect, satterthwaite, seed_error
from ctexp.evaluation.comparison.needed import detectable, needed

LEVEL = 0.05


def side(*values: float) -> Side:
    """Its seeds differ by more than images say: nothing is drawn but their values."""
    return Side(np.array(values), np.tile(np.array(values)[:, None], 4))


def test_seeds_of_both_sides_add_their_errors_with_welchs_degrees_of_freedom() -> None:
    before, after = side(0.5, 0.6, 0.7), side(0.8, 0.6)
    parts = (0.01 / 3, 0.02 / 2)

    found = seed_error(before, after, images=9.0)

    assert found.variance == pytest.approx(sum(parts))
    assert found.source == "measured"
    assert found.df == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 1))
    assert seed_error(side(0.5, 0.5, 0.5), side(0.6, 0.6), images=9.0).df == 3, "no spread, and five seeds"


def test_one_sides_seeds_stand_for_the_other_and_none_are_taken_to_do_as_images() -> None:
    for one, other in ((side(0.5, 0.6, 0.7), side(0.6)), (side(0.6), side(0.5, 0.6, 0.7))):
        found = seed_error(one, other, images=9.0)
        assert found.variance == pytest.approx(0.01 * (1 + 1 / 3))
        assert (found.df, found.source) == (2, "pooled")
    assert seed_error(side(0.5), side(0.6), images=9.0).variance == 9.0


def test_what_seeds_share_with_images_is_not_counted_twice() -> None:
    rng = np.random.default_rng(0)
    apart = Side(np.array([0.5, 0.6]), rng.normal(0.5, 0.1, (2, 4000)))
    found = seed_error(apart, apart, images=9.0)
    # Of two that move alone by 0.1 each, half of the difference's square is each one's, per seed.
    assert found.shared == pytest.approx(2 * 0.01 / 2, rel=0.1)
    assert found.added == max(0.0, found.variance - found.shared)
    assert satterthwaite(4.0, 10.0, replace(found, variance=2.0, shared=0.5, df=3.0)) == pytest.approx(
        5.5**2 / (16 / 10 + 4 / 3)
    )


def test_an_interval_is_students_with_the_error_of_images_and_seeds() -> None:
    drawn = np.array([[0.1, 0.2, 0.3, 0.4]])
    before, after = Side(np.array([0.2]), drawn * 0), Side(np.array([0.5]), drawn)

    found = effect("auroc", before, after, groups=5, p_images=0.001, identical=False)

    images = drawn.var(ddof=1) * 5 / 4
    error, df = np.sqrt(2 * images), (2 * images) ** 2 / (images**2 / 4)
    assert found.image_se == pytest.approx(np.sqrt(images))
    assert found.high == pytest.approx(0.3 + t.ppf(0.975, df) * error)
    assert found.p == pytest.approx(2 * t.sf(0.3 / error, df))
    assert found.image_df == 4
    assert effect("mcc", before, after, 5, 0.9, identical=False).p == 0.9, "the larger of the two"
    assert effect("mcc", before, Side(np.array([5.0]), drawn * 99), 5, 0.9, identical=False).high == 2


SEEN = Effect(
    metric="auroc",
    baseline=0.80,
    candidate=0.85,
    difference=0.05,
    low=None,
    high=None,
    image_se=0.030,
    seed_se=0.020,
    shared_se=0.010,
    seed_source="measured",
    image_df=99,
    seed_df=4,
    p_images=None,
    p=1.0,
    reason="",
)
"""A hundred groups, three seeds a side."""


def test_what_is_detectable_is_decided_four_times_in_five() -> None:
    alone = replace(SEEN, seed_se=0.0, shared_se=0.0)
    assert detectable(alone, LEVEL) == pytest.approx(0.03 * (t.ppf(0.975, 99) + t.ppf(0.8, 99)))
    both = 0.03**2 + 0.02**2
    df = both**2 / (0.03**4 / 99 + (0.02**2 + 0.01**2) ** 2 / 4)
    assert detectable(SEEN, LEVEL) == pytest.approx(np.sqrt(both) * (t.ppf(0.975, df) + t.ppf(0.8, df)))
    assert detectable(replace(SEEN, image_se=None), LEVEL) is None


@pytest.mark.parametrize("source", ["measured", "assumed"])
@pytest.mark.parametrize("size", [0.08, 0.085, 0.09])
def test_so_many_images_decide_it_and_one_fewer_does_not(source: SeedSource, size: float) -> None:
    shared = 0.0 if source == "assumed" else 0.01
    seen = replace(SEEN, seed_source=source, shared_se=shared)
    found = needed(replace(seen, difference=size), groups=100, seeds=(3, 3), level=LEVEL)
    assert found is not None
    assert found.images is not None

    def reach(groups: int) -> float:
        few = 100 / groups
        seeds = 0.02**2 * (few if source == "assumed" else 1)
        there = replace(
            seen,
            image_se=np.sqrt(0.03**2 * few),
            seed_se=np.sqrt(seeds),
            shared_se=shared * np.sqrt(few),
            image_df=groups - 1,
        )
        return detectable(there, LEVEL) or 0.0

    assert reach(found.images) <= size < reach(found.images - 1)


@pytest.mark.parametrize("size", [0.09, 0.095, 0.1])
def test_so_many_seeds_decide_it_and_one_fewer_does_not(size: float) -> None:
    found = needed(replace(SEEN, difference=size), groups=100, seeds=(3, 2), level=LEVEL)
    assert found is not None
    assert found.seeds is not None

    def reach(seeds: int) -> float:
        share = 2 / seeds / (1 / 3 + 1 / 2)
        alone, both = 0.03**2 - 0.01**2, 0.01**2 * share
        there = replace(
            SEEN,
            image_se=np.sqrt(alone + both),
            seed_se=0.02 * np.sqrt(share),
            shared_se=np.sqrt(both),
            seed_df=2 * (seeds - 1),
        )
        return detectable(there, LEVEL) or 0.0

    assert reach(found.seeds) <= size < reach(found.seeds - 1)
