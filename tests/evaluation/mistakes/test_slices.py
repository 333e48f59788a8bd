"""Slices: intervals and tests against references, the family, groups, what is too small."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ctexp.evaluation.comparison.exact import holm
from ctexp.evaluation.mistakes.attributes import Attributes, attributes
from ctexp.evaluation.mistakes.slices import Slice, _counts, fisher, newcombe, slices
from tests.evaluation.mistakes.tables import drawn, rows


@pytest.mark.parametrize(("hits", "n", "others", "m"), [(3, 10, 50, 60), (0, 7, 9, 9), (40, 40, 1, 2)])
def test_differences_have_newcombe_s_interval(hits: int, n: int, others: int, m: int) -> None:
    expected = confint_proportions_2indep(hits, n, others, m, method="newcomb")

    assert newcombe((hits / n, n), (others / m, m)) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("hits", "n", "others", "m"), [(3, 10, 50, 60), (0, 7, 9, 9), (5, 10, 5, 10)])
def test_without_groups_it_is_fisher_s_exact_test(hits: int, n: int, others: int, m: int) -> None:
    expected = fisher_exact([[hits, n - hits], [others, m - others]]).pvalue

    assert fisher((hits / n, n), (others / m, m)) == pytest.approx(expected, abs=1e-8)


def test_a_slice_is_held_against_the_rest_of_its_attribute() -> None:
    found = drawn(200, 1.2, 1)
    modes = tuple("RGB" if place % 4 == 0 else None if place % 4 == 1 else "L" for place in range(200))
    first, second = slices(found, Attributes({"mode": modes}, (), 0))

    assert (first.value, second.value) == ("L", "RGB")
    members = np.array([mode == "RGB" for mode in modes])
    others = np.array([mode == "L" for mode in modes])
    hits, missed = int((~found.wrong & members).sum()), int((~found.wrong & others).sum())
    assert (second.n, second.groups, second.errors) == (50, 50, 50 - hits)
    low, high = proportion_confint(hits, 50, method="wilson")
    assert (second.accuracy.low, second.accuracy.high) == pytest.approx((low, high), abs=1e-8)
    assert second.difference.value == pytest.approx(hits / 50 - missed / 100)
    assert second.difference.p == pytest.approx(
        fisher_exact([[hits, 50 - hits], [missed, 100 - missed]]).pvalue
    )
    # Two values are one comparison: it counts once, and is told from both sides.
    assert first.difference.p_holm == second.difference.p_holm == second.difference.p
    assert first.difference.low == pytest.approx(-second.difference.high)


def test_all_slices_are_one_family() -> None:
    found = drawn(300, 1.0, 2)
    thirds = tuple("abc"[place % 3] for place in range(300))
    halves = tuple("xy"[place % 2] for place in range(300))
    told = slices(found, Attributes({"third": thirds, "half": halves}, (), 0))

    p = [one.difference.p for one in told]
    assert all(value is not None for value in p)
    expected = holm([value for value in p[:4] if value is not None])
    assert [one.difference.p_holm for one in told] == pytest.approx([*expected, expected[3]])


def test_a_bad_scanner_is_found_among_many_slices() -> None:
    found = drawn(400, 4.0, 3)
    bad = np.arange(400) % 8 == 0
    called = np.where(bad & (np.arange(400) % 16 == 0), (found.label + 1) % 4, found.called)
    worse = replace(found, called=called)
    known = attributes(
        worse, rows(worse, lambda place: {"meta": {"scanner": "old" if bad[place] else "new"}})
    )
    told = {(one.attribute, one.value): one for one in slices(worse, known)}

    old = told["scanner", "old"]
    assert old.difference.p_holm is not None
    assert old.difference.p_holm < 0.001
    assert old.difference.high < 0
    others = [one.difference.p_holm for key, one in told.items() if key[0] in {"mode", "size", "format"}]
    assert all(p is None or p > 0.05 for p in others)


def test_copies_are_no_more_evidence_than_the_picture() -> None:
    """Twenty pictures, each ten times, half of them wrong in one scanner."""
    single = drawn(20, 9.0, 4)
    scanner = ["a"] * 10 + ["b"] * 10
    flawed = replace(single, called=np.where(np.arange(20) < 5, (single.label + 1) % 4, single.label))
    many = drawn(200, 9.0, 4, groups=[place // 10 for place in range(200)])
    called = np.where(np.arange(200) // 10 < 5, (many.label + 1) % 4, many.label)
    copied = replace(many, called=called)

    once, tenfold, blind = (
        slices(one, Attributes({"scanner": tuple(values)}, (), 0))[0].difference.p
        for one, values in (
            (flawed, scanner),
            (copied, np.repeat(scanner, 10)),
            (replace(copied, group=np.arange(200)), np.repeat(scanner, 10)),
        )
    )
    assert once is not None
    assert blind is not None
    assert tenfold == pytest.approx(once, rel=0.1)
    assert blind < once / 1e6


def widths(told: tuple[Slice, ...]) -> list[float]:
    return [(one.accuracy.high or 0) - (one.accuracy.low or 0) for one in told]


def test_few_independent_images_are_flagged() -> None:
    found = drawn(100, 1.0, 5, groups=[place // 10 for place in range(100)])
    values = tuple("small" if place < 50 else "large" for place in range(100))
    told = slices(found, Attributes({"size": values}, (), 0))

    assert [(one.n, one.groups, one.few) for one in told] == [(50, 5, True), (50, 5, True)]
    free = slices(drawn(100, 1.0, 5), Attributes({"size": values}, (), 0))
    assert not any(one.few for one in free)
    assert all(grouped >= alone - 1e-12 for grouped, alone in zip(widths(told), widths(free), strict=True))


def test_confidence_is_told_but_not_tested() -> None:
    found = drawn(300, 2.0, 6)
    told = [one for one in slices(found, attributes(found, [])) if one.attribute == "confidence"]

    assert len(told) > 1
    assert all(one.difference.p is None for one in told)
    accuracies = [one.accuracy.value or 0 for one in told if not one.few]
    assert all(low <= high for low, high in pairwise(accuracies))


def test_a_slice_without_cancers_has_no_miss_rate() -> None:
    found = drawn(100, 1.0, 7)
    told = {one.value: one for one in slices(found, attributes(found, []))}

    assert told["normal"].miss_rate.value is None
    assert told["adenocarcinoma"].miss_rate.n == told["adenocarcinoma"].n


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 3, 5])
@pytest.mark.parametrize("accuracy", [0.6, 0.9])
def test_slices_that_do_not_differ_are_rarely_called_different(copies: int, accuracy: float) -> None:
    """At a nominal 5 %, copies or not; the interval holds the truth in 95 % at least."""
    random = np.random.default_rng(copies)
    alarms, held, times = 0, 0, 600
    for _ in range(times):
        sides = []
        for images in (60, 240):
            hits = np.repeat(random.random(images // copies) < accuracy, copies)
            sides.append(_counts(hits, np.arange(images) // copies))
        low, high = newcombe(*sides)
        alarms += fisher(*sides) <= 0.05
        held += low <= 0 <= high

    assert alarms / times <= 0.05 + 2 * (0.05 * 0.95 / times) ** 0.5
    assert held / times >= 0.95 - 2 * (0.05 * 0.95 / times) ** 0.5
