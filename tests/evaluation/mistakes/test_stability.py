"""Seeds against each other: counts by hand, Fleiss' kappa against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from ctexp.evaluation.mistakes import stability as module
from ctexp.evaluation.mistakes.stability import stability
from ctexp.evaluation.predictions import Predictions
from tests.evaluation.conftest import draw


def said(truth: Predictions, called: list[int]) -> Predictions:
    logits = np.eye(4, dtype=np.float32)[called]
    return Predictions(truth.image_id, truth.sha256, truth.group, truth.label, logits)


def test_images_fall_into_right_flickering_and_wrong() -> None:
    truth = draw(4, 0.0)
    right = truth.label
    other = (right + 1) % 4
    third = (right + 2) % 4
    seeds = {
        7: said(truth, [right[0], right[1], other[2], other[3]]),
        8: said(truth, [right[0], other[1], other[2], third[3]]),
    }
    found = stability(seeds)

    assert found is not None
    assert found.seeds == (7, 8)
    assert found.always_right == 1
    assert found.flickering == (truth.image_id[1],)
    assert found.always_wrong == truth.image_id[2:]
    assert found.same_wrong == 1
    assert [(one.seeds, one.share) for one in found.churn] == [((7, 8), 0.5)]
    assert list(found.right.values()) == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("raters", [2, 3, 7])
def test_kappa_is_statsmodels_s(raters: int) -> None:
    truth = draw(80, 0.0)
    called = np.stack([(truth.logits + draw(80, 1.0, seed).logits).argmax(axis=1) for seed in range(raters)])
    table, _ = aggregate_raters(called.T, n_cat=4)

    assert module.fleiss_kappa(called) == pytest.approx(fleiss_kappa(table, method="fleiss"), abs=1e-8)


def test_one_class_for_all_images_is_no_agreement_beyond_chance() -> None:
    truth = draw(5, 0.0)
    found = stability({1: said(truth, [3] * 5), 2: said(truth, [3] * 5)})

    assert found is not None
    assert found.kappa is None


def test_a_single_seed_tells_nothing() -> None:
    assert stability({1: draw(5, 0.0)}) is None
