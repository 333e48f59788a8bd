"""DeLong against MLstatkit, and for groups against the definition."""

import numpy as np
import pytest
from MLstatkit import Delong_test
from sklearn.metrics import roc_auc_score

from ctexp.evaluation.comparison import delong


def drawn(seed: int, n: int, decimals: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    positive[:4] = True, True, False, False
    hard = random.normal(size=n)
    sides = [(positive * skill + hard + random.normal(size=n)).round(decimals) for skill in (1.0, 1.3)]
    return positive, sides[0], sides[1]


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("n", [12, 72, 315])
@pytest.mark.parametrize("seed", range(4))
def test_single_images_agree_with_mlstatkit(seed: int, n: int, decimals: int) -> None:
    positive, before, after = drawn(seed, n, decimals)
    found = delong(positive, before, after, np.arange(n))
    _, p, _, _, area_before, area_after, told = Delong_test(positive.astype(int), before, after)
    assert told["method"] == "delong"
    assert found.auc_baseline == pytest.approx(area_before, rel=1e-8)
    assert found.auc_candidate == pytest.approx(area_after, rel=1e-8)
    assert found.auc_baseline == pytest.approx(roc_auc_score(positive, before), rel=1e-8)
    assert found.p == pytest.approx(p, rel=1e-8)
    assert found.low is not None
    assert found.high is not None
    half = 1.959963984540054 * np.sqrt(told["var_diff"])
    assert found.low == pytest.approx(found.difference - half, rel=1e-8)
    assert found.high == pytest.approx(found.difference + half, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_groups_follow_obuchowski_s_definition(seed: int) -> None:
    """The variance written out pair by pair, as in the paper, groups holding both sides."""
    positive, before, after = drawn(seed, 90, 1)
    groups = np.random.default_rng(seed).integers(0, 40, 90)
    groups = np.unique(groups, return_inverse=True)[1]
    m, n, count = positive.sum(), (~positive).sum(), groups.max() + 1

    def wins(scores: np.ndarray) -> np.ndarray:
        first, second = scores[positive][:, None], scores[~positive][None]
        return np.asarray((first > second) + (first == second) / 2)

    gain = wins(after) - wins(before)
    area = gain.mean()
    of_class, of_others = np.zeros(count), np.zeros(count)
    np.add.at(of_class, groups[positive], gain.mean(axis=1) - area)
    np.add.at(of_others, groups[~positive], gain.mean(axis=0) - area)
    i10, i01 = len(np.unique(groups[positive])), len(np.unique(groups[~positive]))
    s10 = i10 / ((i10 - 1) * m) * (of_class**2).sum()
    s01 = i01 / ((i01 - 1) * n) * (of_others**2).sum()
    s11 = count / (count - 1) * (of_class * of_others).sum()
    variance = s10 / m + s01 / n + 2 * s11 / (m * n)
    found = delong(positive, before, after, groups)
    assert found.difference == pytest.approx(area, rel=1e-8)
    assert found.high is not None
    assert (found.high - found.difference) / 1.959963984540054 == pytest.approx(np.sqrt(variance), rel=1e-8)


def test_copies_of_images_prove_nothing() -> None:
    positive, before, after = drawn(0, 60, 8)
    once = delong(positive, before, after, np.arange(60))
    copied = delong(np.tile(positive, 5), np.tile(before, 5), np.tile(after, 5), np.tile(np.arange(60), 5))
    assert copied.p == pytest.approx(once.p, rel=0.02)


def test_equal_rankings_have_no_difference_and_say_so() -> None:
    positive, before, _ = drawn(0, 40, 8)
    found = delong(positive, before, np.exp(before), np.arange(40))
    assert (found.difference, found.p, found.low, found.high) == (0.0, 1.0, None, None)
    assert "rank every image alike" in found.note


def test_a_difference_without_variance_has_no_p() -> None:
    positive = np.array([True, True, True, False, False])
    found = delong(positive, -1.0 * positive, 1.0 * positive, np.arange(5))
    assert found.difference == 1.0
    assert (found.p, found.low, found.high) == (None, None, None)
    assert found.note


def test_one_image_of_the_class_gives_no_variance() -> None:
    positive = np.array([True, False, False, False])
    found = delong(positive, np.array([0.0, 1, 2, 3]), np.array([2.0, 1, 3, 0]), np.arange(4))
    assert found.p is None
    assert "one group" in found.note
