"""Cancer or normal at a threshold, against an independent reference."""

import base64

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from ctexp.reports import operating


def test_shares_have_wilson_intervals_and_counts_that_add_up() -> None:
    random = np.random.default_rng(1)
    cancer = random.random(90) < 0.7
    score = random.random(90) * 0.6 + 0.4 * cancer
    for threshold in (0.0, 0.35, 0.6, operating.NOTHING):
        found = operating.at(cancer, score, np.arange(90), threshold)
        hits = int((score[cancer] >= threshold).sum())
        assert (found.sensitivity.hits, found.missed) == (hits, int(cancer.sum()) - hits)
        assert found.alarms == int((score[~cancer] >= threshold).sum())
        for share in (found.sensitivity, found.specificity):
            low, high = proportion_confint(share.hits, share.total, method="wilson")
            assert (share.low, share.high) == pytest.approx((low, high), abs=1e-8)


def test_copies_are_no_witnesses_of_their_own() -> None:
    cancer = np.ones(12, dtype=bool)
    score = np.repeat([0.1, 0.2, 0.8, 0.9], 3)
    alone = operating.at(cancer, score, np.arange(12), 0.5).sensitivity
    copied = operating.at(cancer, score, np.repeat(np.arange(4), 3), 0.5).sensitivity
    assert copied.value == alone.value
    assert copied.high - copied.low > alone.high - alone.low  # type: ignore[operator]


def test_a_side_without_images_is_unknown_and_not_zero() -> None:
    found = operating.at(np.ones(3, dtype=bool), np.arange(3.0), np.arange(3), 1.0)
    assert found.specificity == operating.Share(0, 0, None, None, None)


def test_scores_reach_the_page_with_every_bit() -> None:
    score = np.random.default_rng(2).random(50)
    packed = operating.packed(score > 0.5, score, np.arange(50))
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["score"]), "<f8"), score)
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["group"]), "<i4"), np.arange(50))
