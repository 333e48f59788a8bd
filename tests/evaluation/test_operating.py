"""Cancer against normal: the threshold, what it does, and what an answer is worth at a prevalence."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_curve

from ctexp.core.classes import NORMAL
from ctexp.evaluation.operating import Asked, cancer_scores, summarise_cancer, threshold_at
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.prevalence import predictive_values

Split = Callable[..., Predictions]
ASKED = Asked(0.9, None)


@pytest.mark.parametrize("asked", [0.1, 0.5, 0.7, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("skill", [0.5, 2])
def test_the_threshold_is_the_most_sensitive_one_of_that_specificity(
    split: Split, asked: float, skill: float
) -> None:
    table = split(200, skill, seed=3)
    found = threshold_at(table, asked)
    assert found is not None
    fall_out, sensitivity, thresholds = roc_curve(
        table.label != NORMAL, cancer_scores(table), drop_intermediate=False
    )
    allowed = 1 - fall_out >= asked - 1e-12
    called = cancer_scores(table) >= found
    cancer = table.label != NORMAL
    assert called[cancer].mean() == sensitivity[allowed].max()
    assert (~called[~cancer]).mean() >= asked - 1e-12
    assert found in thresholds


def test_a_share_that_only_rounding_makes_too_large_is_not_rounded_up() -> None:
    """0.7 of 10 is 7.000000000000001 in floating point; the eighth normal may be called cancer."""
    assert 0.07 * 100 > 7
    probabilities = np.linspace(0.05, 0.95, 100)
    logits = np.zeros((100, 4), dtype=np.float32)
    logits[:, NORMAL] = -logit(probabilities) + np.log(3)
    ids = tuple(map(str, range(100)))
    table = Predictions(ids, ids, ids, np.full(100, NORMAL), logits)
    found = threshold_at(table, 0.07)
    assert found is not None
    assert (cancer_scores(table) < found).sum() == 7


def test_tied_normals_are_all_called_normal(split: Split) -> None:
    table = split(40, 1)
    same = dataclasses.replace(table, logits=np.zeros_like(table.logits))
    found = threshold_at(same, 0.5)
    assert found is not None
    assert not (cancer_scores(same) >= found).any()


def test_sensitivity_is_told_with_wilson_intervals_and_where_the_threshold_is_from(split: Split) -> None:
    validation, table = split(72, 2, seed=1), split(315, 2, seed=2)
    document = summarise_cancer(table, "test", validation, ASKED, None)
    json.dumps(document, allow_nan=False)
    point = document["operating"]
    assert point["threshold"] == threshold_at(validation, 0.9)
    assert (point["chosen_on"], point["normals"]) == ("val", int((validation.label == NORMAL).sum()))
    cancer = table.label != NORMAL
    called = cancer_scores(table) >= point["threshold"]
    for name, members, hits in (
        ("sensitivity", cancer, called),
        ("specificity", ~cancer, ~called),
        ("ppv", called, cancer),
        ("npv", ~called, ~cancer),
    ):
        expected = binomtest(int(hits[members].sum()), int(members.sum())).proportion_ci(method="wilson")
        entry = point[name]
        assert entry["value"] == pytest.approx(hits[members].mean(), abs=1e-12)
        assert (entry["low"], entry["high"]) == pytest.approx((expected.low, expected.high), abs=1e-8)
    answered = table.logits.argmax(axis=1) != NORMAL
    assert document["answered"]["sensitivity"]["value"] == pytest.approx(answered[cancer].mean())
    assert document["share"] == cancer.mean()
    assert not any("optimistic" in note for note in document["notes"])


def test_validation_judged_by_its_own_threshold_is_said_to_be_optimistic(split: Split) -> None:
    validation = split(72, 2, seed=1)
    (note,) = summarise_cancer(validation, "val", validation, ASKED, None)["notes"]
    assert "by which it is judged here: sensitivity and specificity at it are optimistic" in note


def test_without_validation_or_without_normals_there_is_no_threshold(split: Split) -> None:
    table = split(60, 1)
    document = summarise_cancer(table, "test", None, ASKED, None)
    assert document["operating"] is None
    assert "evaluate val first" in document["notes"][0]
    cancers = table.at(np.flatnonzero(table.label != NORMAL))
    document = summarise_cancer(table, "test", cancers, ASKED, None)
    assert document["operating"] is None
    assert document["notes"] == ["no threshold: no image of val is normal"]


@pytest.mark.parametrize("prevalence", [None, 0.05])
@pytest.mark.parametrize("kind", ["cancers", "normals", "one image", "one group"])
def test_one_sided_splits_are_stated_not_guessed(split: Split, kind: str, prevalence: float | None) -> None:
    table = split(60, 1)
    chosen = {
        "cancers": np.flatnonzero(table.label != NORMAL),
        "normals": np.flatnonzero(table.label == NORMAL),
        "one image": np.array([0]),
        "one group": np.arange(60),
    }[kind]
    part = table.at(chosen)
    if kind == "one group":
        part = dataclasses.replace(part, group=("same",) * 60)
    document = summarise_cancer(part, "test", table, Asked(0.9, prevalence), None)
    json.dumps(document, allow_nan=False)
    answered = document["answered"]
    lacking = {"cancers": "specificity", "normals": "sensitivity"}.get(kind)
    if lacking:
        assert answered[lacking]["value"] is None
    for entry in answered.values():
        assert entry["low"] is None or 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1


@pytest.mark.parametrize("prevalence", [0.001, 0.05, 0.5, 0.83])
@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.95, 0.8), (0.6, 0.99), (0.31, 0.42)])
def test_predictive_values_and_their_intervals_agree_with_a_numerical_delta_method(
    sensitivity: float, specificity: float, prevalence: float
) -> None:
    cancers, others = 261, 54

    def odds(name: str, shares: NDArray[Any]) -> Any:
        """The logarithm of the odds that an answer is right, by Bayes; complex shares give its slope."""
        right, wrong = shares[0] * prevalence, (1 - shares[1]) * (1 - prevalence)
        if name == "npv":
            right, wrong = shares[1] * (1 - prevalence), (1 - shares[0]) * prevalence
        return np.log(right / wrong)

    shares = np.array([sensitivity, specificity])
    variances = shares * (1 - shares) / np.array([cancers, others])
    found = predictive_values(sensitivity, cancers, specificity, others, prevalence)
    for name, (value, bounds) in found.items():
        middle = odds(name, shares)
        assert logit(value) == pytest.approx(middle, abs=1e-10)
        slope = np.array([odds(name, shares + 1e-20j * unit).imag / 1e-20 for unit in np.eye(2)])
        half = norm.ppf(0.975) * np.sqrt((slope**2 * variances).sum())
        assert logit(bounds) == pytest.approx(middle + np.array([-half, half]), abs=1e-8)


def test_at_the_splits_own_prevalence_the_values_are_the_shares(split: Split) -> None:
    table = split(300, 1.5)
    own = summarise_cancer(table, "test", table, ASKED, None)
    stated = summarise_cancer(table, "test", table, Asked(0.9, own["share"]), None)
    for name in ("ppv", "npv"):
        value = stated["answered"][name]["value"]
        assert value == pytest.approx(own["answered"][name]["value"], abs=1e-12)
        assert stated["answered"][name]["method"].startswith("Mercaldo logit, prevalence 0.7")


def test_without_a_single_false_alarm_the_interval_still_has_a_width() -> None:
    value, (low, high) = predictive_values(0.9, 258, 1.0, 54, 0.05)["ppv"]
    assert value == 1
    assert 0.2 < low < 0.47  # below what the rule of three allows: 3 false alarms in 54
    assert high < 1


def test_copies_do_not_narrow_the_predictive_values(split: Split) -> None:
    once = split(120, 1)
    where = np.repeat(np.arange(120), 3)
    copied = dataclasses.replace(once.at(where), image_id=tuple(map(str, range(360))))
    asked = Asked(0.9, 0.1)
    one, three = (summarise_cancer(table, "test", once, asked, None)["answered"] for table in (once, copied))
    for name in ("ppv", "npv"):
        assert three[name]["high"] - three[name]["low"] >= 0.99 * (one[name]["high"] - one[name]["low"])


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.95, 0.9), (0.8, 0.97)])
def test_intervals_at_a_prevalence_cover_the_truth(sensitivity: float, specificity: float) -> None:
    random = np.random.default_rng(2)
    truth = {
        name: value for name, (value, _) in predictive_values(sensitivity, 1, specificity, 1, 0.05).items()
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(1000):
        drawn = random.binomial(258, sensitivity) / 258, random.binomial(54, specificity) / 54
        for name, (_, (low, high)) in predictive_values(drawn[0], 258, drawn[1], 54, 0.05).items():
            covered[name] += low <= truth[name] <= high
    assert min(covered.values()) / 1000 > 0.93


def test_a_threshold_is_a_calibrated_probability_and_no_answer_changes(
    split: Callable[..., Predictions],
) -> None:
    table, validation = split(200, 2.0, seed=1), split(150, 2.0, seed=2)
    plain, cooled = (summarise_cancer(table, "test", validation, ASKED, scale) for scale in (None, 2.5))
    scaled = [
        dataclasses.replace(its, logits=(its.logits / 2.5).astype(np.float32)) for its in (table, validation)
    ]
    assert cooled["operating"]["threshold"] == threshold_at(scaled[1], ASKED.specificity)
    assert cooled["operating"]["threshold"] != plain["operating"]["threshold"]
    assert cooled["answered"] == plain["answered"]
    assert (plain["score"], cooled["score"]) == ("1 - p(normal), uncalibrated", "1 - p(normal), calibrated")


@pytest.mark.parametrize("prevalence", [1e-320, 1e-17, 1 - 1e-16])
@pytest.mark.parametrize("sensitivity", [0.0, 0.8])
def test_any_prevalence_gives_shares(sensitivity: float, prevalence: float) -> None:
    for value, bounds in predictive_values(sensitivity, 40, 0.9, 60, prevalence).values():
        assert 0 <= value <= 1
        assert 0 <= bounds[0] <= bounds[1] <= 1
