import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from ctexp.data.audit import separation
from ctexp.data.audit.separation import accuracy, auroc, divide, out_of_fold, thin, weighted_auroc


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_that_of_scikit_learn_ties_and_weights_included(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, 40) / 5
    truth = rng.random(40) < 0.4
    weights = rng.integers(0, 4, (3, 40)).astype(np.float64)
    expected = [roc_auc_score(truth, scores, sample_weight=row) for row in weights]
    assert weighted_auroc(scores, truth, weights) == pytest.approx(expected)


def test_several_classes_are_judged_one_against_the_rest_on_average() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 90)
    scores = rng.dirichlet(np.ones(4), 90) + 0.3 * np.eye(4)[labels]
    scores /= scores.sum(axis=1, keepdims=True)
    found = auroc(scores, labels, np.arange(90))
    assert found.value == pytest.approx(roc_auc_score(labels, scores, multi_class="ovr"), abs=1e-4)
    assert found.low < found.value < found.high


def test_the_interval_of_an_accuracy_is_wilsons() -> None:
    found = accuracy(np.arange(315) < 284, guess=0.5, few=False)
    assert (found.value, found.low, found.high) == pytest.approx((0.902, 0.864, 0.930), abs=6e-4)
    assert found.alarm
    assert not accuracy(np.arange(315) < 284, guess=0.78, few=False).alarm
    assert not accuracy(np.arange(315) < 284, guess=0.5, few=True).alarm


def test_an_alarm_takes_enough_groups_of_each_label_however_many_images_they_have() -> None:
    labels = np.repeat([0, 1], 60)
    everyone = np.arange(120)
    perfect = labels.astype(np.float64)
    assert auroc(perfect, labels, everyone).alarm
    paired = np.where(labels == 1, 60 + everyone // 2, everyone)
    assert auroc(perfect, labels, paired).alarm
    found = auroc(perfect, labels, np.where(paired == 119, 118, paired))
    assert (found.value, found.alarm, found.few) == (1.0, False, True)


def test_copies_do_not_narrow_an_interval() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(40) % 2
    scores = labels + rng.normal(0, 2, 40)
    once = auroc(scores, labels, np.arange(40))
    tenfold = auroc(np.repeat(scores, 10), np.repeat(labels, 10), np.repeat(np.arange(40), 10))
    assert tenfold == once
    blind = auroc(np.repeat(scores, 10), np.repeat(labels, 10), np.arange(400))
    assert blind.high - blind.low < 0.5 * (once.high - once.low)


def test_a_forest_never_judges_a_copy_of_what_it_has_seen() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(30), 8)
    table = np.repeat(rng.normal(size=(30, 4)), 8, axis=0)
    labels = np.repeat(np.arange(30) % 2, 8)
    forest = ExtraTreesClassifier(30, random_state=0)
    blind = cross_val_predict(forest, table, labels, cv=5, method="predict_proba")[:, 1]
    shuffled = rng.permutation(240)  # a plain cross-validation puts copies on both sides
    blind[shuffled] = cross_val_predict(
        forest, table[shuffled], labels[shuffled], cv=5, method="predict_proba"
    )[:, 1]
    assert roc_auc_score(labels, blind) > 0.95
    scores = out_of_fold(table, divide(labels, groups))[:, 1]
    assert not auroc(scores, labels, groups).alarm
    assert roc_auc_score(labels, scores) < 0.8


def test_random_labels_raise_no_alarm_and_a_planted_one_does() -> None:
    rng = np.random.default_rng(4)
    everyone = np.arange(120)
    labels = (everyone % 4 == 0).astype(np.int64)
    values = []
    for _ in range(5):
        found = auroc(
            out_of_fold(rng.normal(size=(120, 5)), divide(labels, everyone))[:, 1], labels, everyone
        )
        assert not found.alarm
        values.append(found.value)
    assert 0.35 < np.mean(values) < 0.65
    table = rng.normal(size=(120, 5))
    table[:, 2] += 2 * labels
    assert auroc(out_of_fold(table, divide(labels, everyone))[:, 1], labels, everyone).alarm


def test_a_large_set_is_thinned_in_proportion_whatever_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation, "MOST", 100)
    labels = ["train"] * 900 + ["val"] * 88 + ["test"] * 12
    hashes = [f"{value:016x}" for value in np.random.default_rng(5).permutation(1000)]
    taken = thin(labels, hashes)
    assert [sum(labels[place] == split for place in taken) for split in ("train", "val", "test")] == [
        90,
        10,
        10,
    ]
    backwards = {hashes[::-1][place] for place in thin(labels[::-1], hashes[::-1])}
    assert backwards == {hashes[place] for place in taken}
    assert thin(labels[:100], hashes[:100]) == list(range(100))
