"""McNemar, Holm and Wilson against statsmodels and scipy."""

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from ctexp.evaluation.comparison import holm, mcnemar
from ctexp.evaluation.intervals import wilson


def right(both: int, lost: int, won: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images either side got right, for a table of counts."""
    baseline = np.repeat([True, True, False, False], [both, lost, won, neither])
    candidate = np.repeat([True, False, True, False], [both, lost, won, neither])
    return baseline, candidate


FIXED: list[tuple[int, ...]] = [
    (30, 0, 0, 2),
    (1, 0, 0, 0),
    (0, 1, 0, 0),
    (0, 5, 5, 0),
    (50, 3, 12, 8),
    (0, 40, 0, 0),
    (900, 31, 62, 80),
]
RANDOM: list[tuple[int, ...]] = [
    tuple(int(k) for k in row) for row in np.random.default_rng(0).integers(0, 60, size=(30, 4))
]


@pytest.mark.parametrize("counts", FIXED + RANDOM, ids=str)
def test_mcnemar_agrees_with_statsmodels_and_scipy(counts: tuple[int, ...]) -> None:
    both, lost, won, neither = counts
    found = mcnemar(*right(both, lost, won, neither))
    assert (found.only_baseline_right, found.only_candidate_right) == (lost, won)
    expected = reference_mcnemar([[both, lost], [won, neither]], exact=True).pvalue
    assert found.p == pytest.approx(expected, rel=1e-8)
    coin = binomtest(won, lost + won).pvalue if lost + won else 1.0
    assert found.p == pytest.approx(coin, rel=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_holm_agrees_with_statsmodels(seed: int) -> None:
    random = np.random.default_rng(seed)
    p = (random.random(random.integers(1, 30)) ** 3).round(2)  # some tie, some are 0
    np.testing.assert_allclose(holm(list(p)), multipletests(p, method="holm")[1], rtol=1e-8)


def test_holm_of_nothing_and_of_certainties() -> None:
    assert holm([]) == []
    assert holm([1.0, 0.0, 1.0]) == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("total", [1, 2, 17, 315, 10_000])
def test_wilson_agrees_with_statsmodels(total: int) -> None:
    for successes in {0, 1, total // 3, total - 1, total}:
        expected = proportion_confint(successes, total, method="wilson")
        np.testing.assert_allclose(wilson(successes / total, total), expected, rtol=1e-8, atol=1e-15)
