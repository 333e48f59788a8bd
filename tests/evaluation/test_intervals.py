import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, sem, t

from ctexp.evaluation import intervals


@pytest.mark.parametrize("total", [1, 2, 8, 54, 315, 1000])
def test_wilson_agrees_with_scipy(total: int) -> None:
    for successes in sorted({0, 1, total // 3, total // 2, total - 1, total}):
        expected = binomtest(successes, total).proportion_ci(method="wilson")
        found = intervals.wilson(successes / total, total)
        np.testing.assert_allclose(found, (expected.low, expected.high), rtol=1e-12, atol=1e-15)


def test_wilson_gives_the_published_interval_of_284_of_315() -> None:
    low, high = intervals.wilson(284 / 315, 315)
    assert (round(low, 3), round(high, 3)) == (0.864, 0.930)


def test_single_images_have_no_design_effect() -> None:
    hits = np.array([True, False, True, True, False])
    assert intervals.design_effect(hits, np.array([7, 3, 9, 0, 1])) == 1


@pytest.mark.parametrize("copies", [2, 5])
@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_copies_add_no_certainty(copies: int, rate: float) -> None:
    hits = np.random.default_rng(0).random(200) < rate
    groups = np.repeat(np.arange(200), copies)
    effect = intervals.design_effect(np.repeat(hits, copies), groups)
    assert effect == pytest.approx(copies, rel=0.01)  # 1 % is what G / (G - 1) makes of it


@pytest.mark.parametrize("hits", [[True] * 12, [False] * 12, [True] * 8 + [False] * 4])
def test_where_errors_are_few_groups_count_as_copies(hits: list[bool]) -> None:
    groups = np.array([0] * 4 + [1] * 4 + [2] * 4)
    assert intervals.design_effect(np.array(hits), groups) >= 4


def test_groups_whose_members_differ_cost_little() -> None:
    random = np.random.default_rng(1)
    assert intervals.design_effect(random.random(2000) < 0.7, np.arange(2000) // 2) < 1.2


def test_resamples_take_whole_groups() -> None:
    groups = np.array([0, 0, 0, 1, 2, 2, 3])
    weights = intervals.group_weights(groups, 500, seed=3)
    assert weights.shape == (500, 7)
    for group in range(4):
        members = weights[:, groups == group]
        assert (members == members[:, :1]).all()
    firsts = weights[:, [0, 3, 4, 6]]
    assert (firsts.sum(axis=1) == 4).all()
    np.testing.assert_allclose(firsts.mean(axis=0), 1, atol=0.15)
    # Drawing 4 of 4 with replacement leaves a given one out (3/4)^4 of the time.
    np.testing.assert_allclose((firsts == 0).mean(axis=0), 0.75**4, atol=0.08)


def test_resamples_follow_from_their_seed() -> None:
    groups = np.arange(30)
    first = intervals.group_weights(groups, 50, seed=1)
    np.testing.assert_array_equal(first, intervals.group_weights(groups, 50, seed=1))
    assert (first != intervals.group_weights(groups, 50, seed=2)).any()


@pytest.mark.parametrize("rate", [0.8, 0.9, 0.97])
def test_intervals_of_copied_images_cover_the_truth(rate: float) -> None:
    """The duplicates of the Kaggle set's test normals: 54 images of which 46 are copies of 19."""
    sizes = np.array([1] * 8 + [8, 5, 4, 4, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1])
    groups = np.repeat(np.arange(len(sizes)), sizes)
    random = np.random.default_rng(5)
    covered, naive = 0, 0
    for _ in range(600):
        hits = (random.random(len(sizes)) < rate)[groups]
        effect = intervals.design_effect(hits, groups)
        low, high = intervals.wilson(float(hits.mean()), len(hits) / effect)
        covered += low <= rate <= high
        low, high = intervals.wilson(float(hits.mean()), len(hits))
        naive += low <= rate <= high
    assert covered / 600 > 0.93
    assert naive < covered


def test_the_standard_error_of_a_mean_is_the_textbooks() -> None:
    """The jackknife of a mean is its standard error exactly, and the bootstrap's comes near."""
    values = np.random.default_rng(4).exponential(size=60)
    groups = np.arange(60)
    left_out = intervals.without_each_group(groups) @ values / 59
    drawn = intervals.group_weights(groups, 4000, seed=1) @ values / 60
    expected = sem(values)
    assert intervals.standard_error(np.full(5, 1.0), left_out, 60) == pytest.approx(expected, rel=1e-12)
    assert intervals.standard_error(drawn, None, 60) == pytest.approx(expected, rel=0.05)
    assert intervals.standard_error(drawn, left_out, 60) >= expected * (1 - 1e-12)
    assert np.isnan(intervals.standard_error(np.full(9, np.nan), left_out, 60))


@pytest.mark.parametrize(("name", "value"), [("auroc", 0.93), ("macro_f1", 0.4), ("auprc_normal", 0.999)])
def test_shares_are_bounded_on_the_logit_scale(name: str, value: float) -> None:
    found = intervals.on_scale(name, value, 0.02, 40)
    assert found is not None
    (low, high), scale = found
    half = t.ppf(0.975, 39) * 0.02 / (value * (1 - value))
    assert scale == "logit"
    assert (low, high) == pytest.approx(expit(logit(value) + np.array([-half, half])), abs=1e-10)
    assert 0 <= low < value < high <= 1


def test_other_metrics_have_scales_of_their_own() -> None:
    half = t.ppf(0.975, 39) * 0.05
    loss, correlation, brier = (intervals.on_scale(name, 0.6, 0.05, 40) for name in ("loss", "mcc", "brier"))
    assert loss is not None
    assert correlation is not None
    assert brier is not None
    assert loss[0] == pytest.approx(0.6 * np.exp([-half / 0.6, half / 0.6]), abs=1e-10)
    turned = np.arctanh(0.6) + np.array([-half, half]) / (1 - 0.6**2)
    assert correlation[0] == pytest.approx(np.tanh(turned), abs=1e-10)
    doubled = logit(0.3) + np.array([-half, half]) / 2 / (0.3 * 0.7)
    assert brier[0] == pytest.approx(2 * expit(doubled), abs=1e-10)
    for name, end in (("auroc", 1.0), ("mcc", 1.0), ("mcc", -1.0), ("loss", 0.0), ("auprc", 0.0)):
        assert intervals.on_scale(name, end, 0.05, 40) is None


def test_images_of_few_groups_are_worth_no_more_than_copies() -> None:
    groups = np.array([0, 0, 0, 1])
    for hits in ([True] * 4, [False] * 4):
        assert intervals.design_effect(np.array(hits), groups) == (9 + 1) / 4
    assert intervals.design_effect(np.array([True, False, True, True]), np.zeros(4, dtype=np.int64)) == 4
    assert intervals.design_effect(np.array([True, False, True, False]), np.array([0, 0, 1, 1])) == 2, (
        "few hold a miss"
    )


def test_each_group_is_left_out_once() -> None:
    assert intervals.without_each_group(np.array([0, 1, 1])).tolist() == [[0, 1, 1], [1, 0, 0]]


def test_the_error_of_resamples_is_enlarged_for_few_groups() -> None:
    drawn = np.array([1.0, 3.0, np.nan])
    assert intervals.standard_error(drawn, None, groups=2) == pytest.approx(np.sqrt(2) * np.sqrt(2))
    assert intervals.standard_error(drawn, np.array([np.nan]), groups=5) == pytest.approx(
        np.sqrt(2) * np.sqrt(5 / 4)
    )
    assert np.isnan(intervals.standard_error(np.array([1.0, np.nan]), None, groups=2))


def test_percentiles_leave_a_fortieth_at_each_end() -> None:
    assert intervals.percentiles(np.arange(1001.0)) == (25.0, 975.0)
