"""The fast sums against the plain formulas, weighting by weighting."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from ctexp.evaluation import scores
from ctexp.evaluation.comparison import swapping
from ctexp.evaluation.comparison.answered import answered
from ctexp.evaluation.comparison.resampling import counts, resampled
from ctexp.evaluation.comparison.swapping import differences_after_exchange
from ctexp.evaluation.predictions import Predictions


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize(("n", "copies"), [(1, 1), (8, 4), (60, 1), (90, 3), (315, 1)])
def test_every_metric_of_every_resample_is_that_of_the_formulas(
    networks: Callable[..., list[Predictions]], n: int, copies: int, decimals: int
) -> None:
    table = networks(max(n, 4), [1.0], decimals=decimals, copies=copies)[0].at(np.arange(n))
    found = resampled(table, scores.NAMES, 300, 0)
    groups = answered(table).groups
    weights = counts(int(groups.max()) + 1, 300, 0)[groups].T.astype(np.float64)
    expected = scores.weighted(table.label, table.logits, weights)
    lacking = np.any([weights[:, table.label == k].sum(axis=1) == 0 for k in np.unique(table.label)], axis=0)
    for row, name in enumerate(scores.NAMES):
        values = np.where(lacking & (name in scores.OVER_CLASSES), np.nan, expected[name])
        np.testing.assert_allclose(found[row], values, rtol=1e-9, atol=1e-12, err_msg=name)


def test_resamples_draw_whole_groups_and_as_many_as_there_are() -> None:
    table = counts(50, 400, 0)
    assert (table.sum(axis=0) == 50).all()
    assert table.mean() == 1.0
    assert table.var() == pytest.approx(49 / 50, rel=0.05)
    assert not np.array_equal(table, counts(50, 400, 1))


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("copies", [1, 3])
def test_exchanging_answers_is_done_as_if_by_hand(
    networks: Callable[..., list[Predictions]], copies: int, decimals: int
) -> None:
    first, second = networks(60, [0.8, 1.2], decimals=decimals, copies=copies)
    groups = answered(first).groups
    sides = [answered(table) for table in (first, second)]
    signs = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (groups.max() + 1, 20))
    found = differences_after_exchange(sides[:1], sides[1:], scores.NAMES, signs)
    once = np.ones((1, 60))
    for column in range(20):
        kept = (signs[groups, column] > 0)[:, None]
        before = scores.weighted(first.label, np.where(kept, first.logits, second.logits), once)
        after = scores.weighted(first.label, np.where(kept, second.logits, first.logits), once)
        for row, name in enumerate(scores.NAMES):
            expected = after[name][0] - before[name][0]
            np.testing.assert_allclose(found[row, column], expected, atol=1e-10, err_msg=name)


def test_several_seeds_are_exchanged_together(networks: Callable[..., list[Predictions]]) -> None:
    """Two seeds against three: pooled, an answer counts 1/2 or 1/3."""
    tables = networks(50, [0.8, 0.8, 1.2, 1.2, 1.2], decimals=1, copies=2)
    groups = answered(tables[0]).groups
    sides = [answered(table) for table in tables]
    signs = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (groups.max() + 1, 10))
    found = differences_after_exchange(sides[:2], sides[2:], scores.NAMES, signs)
    labels = np.tile(tables[0].label, 5)
    logits = np.concatenate([table.logits for table in tables])
    for column in range(10):
        kept = signs[groups, column] > 0
        before = np.concatenate([np.where(kept, 1 / 2, 0)] * 2 + [np.where(kept, 0, 1 / 3)] * 3)
        after = np.concatenate([np.where(kept, 0, 1 / 2)] * 2 + [np.where(kept, 1 / 3, 0)] * 3)
        expected = scores.weighted(labels, logits, np.stack([before, after]))
        for row, name in enumerate(scores.NAMES):
            difference = expected[name][1] - expected[name][0]
            np.testing.assert_allclose(found[row, column], difference, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([0.3, -0.3, 0.1, np.nan], 2 / 3),  # the one seen counts among them, one undefined does not
        ([0.3, 0.1, -0.1], 2 * norm.sf(3)),
        ([0.1, 0.099, 0.099, 0.099], 1 / 4),  # the tail of a normal would say more
        ([0.3, 0.0, 0.0], 1 / 3),
        ([np.nan, 0.1], np.nan),
    ],
)
def test_p_is_how_often_an_exchange_does_as_much_or_a_tail_below_that(
    differences: list[float], p: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapping, "differences_after_exchange", lambda *_: np.array([differences]))
    side = [SimpleNamespace(group_count=1)]
    found = swapping.swapped(side, side, ("accuracy",), draws=1, seed=0)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, [p])
