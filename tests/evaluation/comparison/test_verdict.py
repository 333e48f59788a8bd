"""Whole comparisons: what is called, what is not, and why."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from ctexp.core.errors import DataError
from ctexp.evaluation.comparison import Judged, judge, needed, pair
from ctexp.evaluation.comparison.needed import MOST_SEEDS
from ctexp.evaluation.predictions import Predictions
from tests.evaluation.comparison.conftest import FAMILY, tables

Networks = Callable[..., list[Predictions]]


def compared(baseline: list[Predictions], candidate: list[Predictions], *more: str) -> Judged:
    return judge([pair(baseline, candidate, (*FAMILY, *more))], 0.05)[0]


def answers(called: NDArray[np.int64] | list[int]) -> NDArray[np.float64]:
    """Confident logits for these answers."""
    return 5.0 * np.eye(4)[called]


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_much_better_network_is_better_in_everything_whichever_way_that_is(
    networks: Networks, seeds: int
) -> None:
    drawn = networks(400, [0.5] * seeds + [3.5] * seeds)
    weak, strong = drawn[:seeds], drawn[seeds:]
    forth, back = compared(weak, strong, "loss"), compared(strong, weak, "loss")
    assert {its.verdict for its in forth.metrics.values()} == {"better"}
    assert {its.verdict for its in back.metrics.values()} == {"worse"}
    for name, its in forth.metrics.items():
        assert its.difference is not None
        assert (its.difference < 0) == (name in {"miss_rate", "loss"})
        assert back.metrics[name].difference == pytest.approx(-its.difference)
        assert back.metrics[name].p == pytest.approx(its.p, rel=1e-6, abs=1e-12)
        assert its.low is not None
        assert its.high is not None
        assert its.low < its.difference < its.high
        assert its.needed is None


def test_networks_that_differ_by_seed_only_are_undecided(networks: Networks) -> None:
    drawn = networks(300, [1.5] * 10)
    for its in compared(drawn[:5], drawn[5:]).metrics.values():
        assert its.verdict == "undecided"
        assert its.needed is not None


def test_byte_identical_tables_do_not_differ(networks: Networks) -> None:
    [table] = networks(60, [1.0])
    found = compared([table], [table])
    assert found.identical
    for its in found.metrics.values():
        assert (its.difference, its.p, its.p_holm, its.verdict) == (0.0, 1.0, 1.0, "undecided")
        assert its.reason == "both gave the same answers, byte by byte"
        assert its.needed is None


def test_equal_arguments_give_equal_answers(networks: Networks) -> None:
    assert compared(networks(80, [1.0]), networks(80, [1.0, 1.2])[1:]) == compared(
        networks(80, [1.0]), networks(80, [1.0, 1.2])[1:]
    )


def test_the_error_from_images_is_that_of_paired_differences(networks: Networks) -> None:
    first, second = networks(500, [1.0, 1.4])
    right = [table.logits.argmax(axis=1) == table.label for table in (first, second)]
    gained = right[1].astype(float) - right[0]
    its = compared([first], [second]).metrics["accuracy"]
    assert its.difference == pytest.approx(gained.mean())
    assert its.image_se == pytest.approx(stats.sem(gained), rel=0.05)


def test_copies_of_images_in_one_group_add_nothing(networks: Networks) -> None:
    """Every image four times over is as sure as once; without groups it would be twice as sure."""
    once = networks(150, [1.0, 1.5])
    rows = np.repeat(np.arange(150), 4)
    copied, apart = (
        tables(once[0].label[rows], [its.logits[rows] for its in once], groups)
        for groups in (rows, np.arange(600))
    )
    errors = [compared(its[:1], its[1:]).metrics["macro_f1"].image_se for its in (once, copied, apart)]
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
    assert errors[2] == pytest.approx(float(errors[0] or 0) / 2, rel=0.1)


def test_single_networks_on_single_images_are_guarded_by_mcnemar(networks: Networks) -> None:
    first, second = networks(120, [1.0, 1.6])
    found = compared([first], [second])
    its = found.metrics["accuracy"]
    assert its.p_images == found.mcnemar.p
    assert its.p >= found.mcnemar.p


def test_the_error_from_seeds_is_their_spread_where_it_is_measured(networks: Networks) -> None:
    """The t statistic put together by hand from accuracies and their resamples."""
    drawn = networks(200, [0.6, 1.0, 1.4, 1.0, 1.5, 2.1, 2.4])
    sides = drawn[:3], drawn[3:]
    its = compared(*sides).metrics["accuracy"]
    right = [np.array([t.logits.argmax(axis=1) == t.label for t in side], dtype=float) for side in sides]
    spread = [float(side.mean(axis=1).var(ddof=1)) / len(side) for side in right]
    shared = sum(
        float((side - side.mean(axis=0)).var(axis=1).mean()) * len(side) / (len(side) - 1) / 200 / len(side)
        for side in right
    )
    images = float((right[1].mean(axis=0) - right[0].mean(axis=0)).var()) / 199
    added = sum(spread) - shared
    assert its.seed_source == "measured"
    assert its.seed_se == pytest.approx(np.sqrt(added), rel=0.05)
    assert its.shared_se == pytest.approx(np.sqrt(shared), rel=0.05)
    df = (images + added) ** 2 / (images**2 / 199 + spread[0] ** 2 / 2 + spread[1] ** 2 / 3)
    expected = 2 * stats.t.sf(float(its.difference or 0) / np.sqrt(images + added), df)
    assert its.p == pytest.approx(expected, rel=0.15)
    half = stats.t.ppf(0.975, df) * np.sqrt(images + added)
    assert its.high == pytest.approx(float(its.difference or 0) + half, rel=0.05)


def test_where_seeds_come_from_is_told(networks: Networks) -> None:
    drawn = networks(100, [1.0, 1.1, 1.2, 1.3])
    alone, one_sided = compared(drawn[:1], drawn[1:2]), compared(drawn[:1], drawn[1:])
    both = compared(drawn[:2], drawn[2:])
    sources = [its.metrics["accuracy"].seed_source for its in (alone, one_sided, both)]
    assert sources == ["assumed", "pooled", "measured"]
    accuracy = alone.metrics["accuracy"]
    assert accuracy.seed_se == accuracy.image_se
    assert "assumed and not measured" in alone.scope
    assert "several seeds" in one_sided.scope
    assert both.scope.startswith("about the two experiments: ")


def test_holm_counts_every_metric_of_every_candidate(networks: Networks) -> None:
    drawn = networks(150, [1.0, 1.3, 1.7, 2.2])
    pairs = [pair(drawn[:1], [its], FAMILY) for its in drawn[1:]]
    found = judge(pairs, 0.05)
    p = [its.p for whole in found for its in whole.metrics.values()]
    corrected = [its.p_holm for whole in found for its in whole.metrics.values()]
    np.testing.assert_allclose(corrected, multipletests(p, method="holm")[1], rtol=1e-8)
    for whole in found:
        for its in whole.metrics.values():
            assert (its.verdict != "undecided") == (its.p_holm <= 0.05)
    assert judge(pairs[:1], 0.05)[0].metrics["accuracy"].p_holm <= found[0].metrics["accuracy"].p_holm


def test_what_could_not_be_tested_makes_nothing_easier(networks: Networks) -> None:
    baseline, candidate = networks(150, [1.0, 1.6])
    its = pair([baseline], [candidate], ("accuracy",))
    (alone,), (among,) = judge([its], 0.05), judge([its], 0.05, untested=3)
    one, other = alone.metrics["accuracy"], among.metrics["accuracy"]
    assert other.p_holm == pytest.approx(min(1.0, 4 * one.p_holm))
    assert one.detectable is not None
    assert other.detectable is not None
    assert other.detectable > one.detectable


def test_an_absent_class_leaves_what_it_leaves_defined(networks: Networks) -> None:
    """Without normal images recall of normal is no number, and misses and means over the rest are some."""
    drawn = [its.at(np.flatnonzero(its.label != 3)) for its in networks(200, [0.5, 3.5])]
    found = compared(drawn[:1], drawn[1:], "recall_normal")
    its = found.metrics["recall_normal"]
    assert (its.difference, its.p, its.verdict) == (None, 1.0, "undecided")
    assert its.reason.startswith("undefined for the baseline and the candidate")
    assert found.metrics["auroc"].verdict == "better"
    assert set(found.delong) == {"adenocarcinoma", "large_cell_carcinoma", "squamous_cell_carcinoma"}


def test_images_of_one_class_have_no_ranking() -> None:
    labels = np.zeros(30, dtype=np.int64)
    found = compared(tables(labels, [answers([0, 1] * 15)]), tables(labels, [answers([0] * 30)]))
    assert found.metrics["auroc"].verdict == "undecided"
    assert found.metrics["auroc"].reason
    assert found.metrics["accuracy"].verdict == "better"
    assert found.delong == {}


@pytest.mark.parametrize("count", [1, 6])
def test_a_single_image_and_a_single_group_decide_nothing(count: int) -> None:
    labels = np.array([0, 1, 2, 3, 0, 1])[:count]
    groups = np.zeros(count, dtype=np.int64)
    first, second = [tables(labels, [answers(called)], groups) for called in ((labels + 1) % 4, labels)]
    found = compared(first, second)
    for its in found.metrics.values():
        assert (its.verdict, its.p, its.low) == ("undecided", 1.0, None)
        assert its.reason
    assert found.groups == 1


def test_two_networks_without_an_error_are_undecided() -> None:
    labels = np.arange(40) % 4
    first, second = [tables(labels, [scale * answers(labels)]) for scale in (1, 2)]
    its = compared(first, second).metrics["accuracy"]
    assert (its.difference, its.p, its.verdict, its.low, its.detectable) == (
        0.0,
        1.0,
        "undecided",
        None,
        None,
    )
    assert "too few for an interval" in its.reason


@pytest.mark.parametrize(("count", "call"), [(4, "undecided"), (24, "better")])
def test_all_wrong_against_all_right_needs_more_than_a_few_images(count: int, call: str) -> None:
    """No resample shows any variance; what decides is how unlikely it is that chance sorted them so."""
    labels = np.arange(count) % 4
    first, second = [tables(labels, [answers(called)]) for called in ((labels + 1) % 4, labels)]
    its = compared(first, second).metrics["accuracy"]
    assert (its.difference, its.verdict) == (1.0, call)
    assert its.p == pytest.approx(2 / 2**count)


def test_tables_of_other_images_are_refused(networks: Networks) -> None:
    first, second = networks(20, [1.0, 1.2])
    with pytest.raises(DataError, match="same images in the same order"):
        pair([first], [second.at(np.arange(20)[::-1])], FAMILY)
    with pytest.raises(DataError, match="same images"):
        pair([first], [second.at(np.arange(19))], FAMILY)


def test_what_is_needed_would_do(networks: Networks) -> None:
    """With as many images as needed, the difference seen is the smallest that is decided."""
    drawn = networks(200, [1.0, 1.15])
    its = compared(drawn[:1], drawn[1:]).metrics["accuracy"]
    assert its.verdict == "undecided"
    assert its.needed is not None
    assert its.needed.images is not None
    error = np.sqrt(float(its.image_se or 0) ** 2 * 2 * 200 / its.needed.images)
    level = 0.05 / len(FAMILY)
    quantiles = stats.norm.ppf(1 - level / 2) + stats.norm.ppf(0.8)
    assert abs(float(its.difference or 0)) == pytest.approx(quantiles * error, rel=0.01)
    assert f"{its.needed.images:,} independent images" in its.needed.said


def test_more_seeds_help_where_seeds_spread_and_images_do_where_they_do_not(networks: Networks) -> None:
    drawn = networks(3000, [0.8, 1.2, 1.0, 1.2, 1.6, 1.4])
    restless = compared(drawn[:3], drawn[3:]).metrics["accuracy"]
    assert restless.verdict == "undecided"
    assert restless.needed is not None
    assert restless.needed.images is None
    assert restless.needed.seeds is not None
    assert 3 < restless.needed.seeds <= MOST_SEEDS
    assert "more images alone would not" in restless.needed.said
    steady = networks(150, [1.0, 1.0, 1.12, 1.12])
    its = compared(steady[:2], steady[2:]).metrics["accuracy"]
    assert its.detectable is not None
    assert its.detectable > abs(float(its.difference or 0))


def test_what_would_find_an_improvement_is_asked_apart_from_what_was_seen(networks: Networks) -> None:
    drawn = networks(100, [1.0, 1.0, 0.97, 0.97])
    its = compared(drawn[:2], drawn[2:]).metrics["accuracy"]
    assert its.verdict == "undecided"
    assert its.detectable is not None

    def found(size: float) -> str:
        told = needed(its, 100, (2, 2), 0.05 / len(FAMILY), size)
        assert told is not None
        return told.said

    half = its.detectable / 2
    assert found(half).startswith(f"to find an improvement of {half:g}: ")
    assert "independent images" in found(half)
    assert found(0.0001).startswith("an improvement of 0.0001 is out of reach of this data set")
    assert found(1.1 * its.detectable).endswith("four times in five: it is smaller, or was missed")
    neither = needed(replace(its, difference=1e-4), 100, (2, 2), 0.01)
    assert neither is not None
    assert neither.said == "neither more images nor more seeds alone would decide a difference of this size"


def test_a_metric_undefined_for_a_seed_is_told_without_a_number(networks: Networks) -> None:
    drawn = networks(60, [1.0] * 4)
    never = replace(drawn[0], logits=drawn[0].logits - 99 * np.eye(4, dtype=np.float32)[3])
    its = compared([never, drawn[1]], drawn[2:], "precision_normal").metrics["precision_normal"]
    assert (its.difference, its.p, its.verdict) == (None, 1.0, "undecided")
    assert "undefined for the baseline" in its.reason


def test_what_no_difference_could_decide_has_no_number(networks: Networks) -> None:
    drawn = networks(60, [0.5, 0.5, 2.0, 2.0])
    for its in judge([pair(drawn[:2], drawn[2:], FAMILY)], 1e-300)[0].metrics.values():
        assert its.verdict == "undecided"
        assert its.detectable is None


def test_an_interval_ends_where_differences_do(networks: Networks) -> None:
    """With two seeds a side that lie far apart, t with hardly a degree of freedom reaches beyond."""
    drawn = networks(60, [0.2, 4.0, 0.3, 3.0])
    judged = compared(drawn[:2], drawn[2:])
    for its in judged.metrics.values():
        assert its.low is not None
        assert its.high is not None
        assert -1 <= its.low <= its.high <= 1
    assert judged.metrics["macro_f1"].low == -1
