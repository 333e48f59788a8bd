"""Every metric against scikit-learn, with ties, weights and missing classes."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn import metrics as sk

from ctexp.core.classes import CLASSES
from ctexp.evaluation import scores

Table = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]


def table(seed: int, n: int, classes: list[int], decimals: int) -> Table:
    """Labels of the given classes, logits rounded so that scores tie, and whole weights with zeros."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, n)
    labels[: len(classes)] = classes
    logits = random.normal(size=(n, len(CLASSES)))
    logits[np.arange(n), labels] += 1
    weights = random.integers(0, 4, n).astype(np.float64)
    weights[: len(classes)] = 1
    return labels, logits.round(decimals).astype(np.float32), weights


def reference(
    labels: NDArray[np.int64], logits: NDArray[np.float32], weights: NDArray[np.float64]
) -> dict[str, float]:
    """The same metrics by scikit-learn; means are over the classes in `labels`."""
    probabilities = softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    present = np.unique(labels)
    everything = list(range(len(CLASSES)))
    by = {"sample_weight": weights}
    one_hot = np.eye(len(CLASSES))[labels]
    values: dict[str, float] = {
        "loss": sk.log_loss(labels, probabilities, labels=everything, **by),
        "accuracy": sk.accuracy_score(labels, predicted, **by),
        "balanced_accuracy": sk.recall_score(labels, predicted, labels=present, average="macro", **by),
        "macro_f1": sk.f1_score(labels, predicted, labels=present, average="macro", **by),
        "mcc": sk.matthews_corrcoef(labels, predicted, **by),
        "miss_rate": float(np.average(predicted[labels != 3] == 3, weights=weights[labels != 3])),
        "brier": sk.mean_squared_error(one_hot, probabilities, **by) * len(CLASSES),
    }
    ranked = [
        (
            sk.roc_auc_score(labels == k, probabilities[:, k], **by),
            sk.average_precision_score(labels == k, probabilities[:, k], **by),
        )
        for k in present
    ]
    values["auroc"], values["auprc"] = (float(mean) for mean in np.mean(ranked, axis=0))
    for k, name in enumerate(CLASSES):
        auroc, auprc = ranked[list(present).index(k)] if k in present else (np.nan, np.nan)
        values |= {f"auroc_{name}": auroc, f"auprc_{name}": auprc}
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        labels, predicted, labels=everything, zero_division=np.nan, **by
    )
    for k, name in enumerate(CLASSES):
        values[f"precision_{name}"] = precision[k]
        values[f"recall_{name}"] = recall[k]
        values[f"f1_{name}"] = f1[k] if k in present else np.nan
        values[f"specificity_{name}"] = sk.recall_score(labels != k, predicted != k, **by)
        values[f"npv_{name}"] = sk.precision_score(labels != k, predicted != k, zero_division=np.nan, **by)
    return values


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [0, 2, 3], [1, 3]], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_every_metric_agrees_with_scikit_learn(seed: int, classes: list[int], decimals: int) -> None:
    labels, logits, weights = table(seed, 90, classes, decimals)
    tables = np.stack([np.ones(len(labels)), weights])
    found = scores.weighted(labels, logits, tables)
    assert tuple(found) == (*scores.NAMES, *scores.RANKED_NAMES)
    for row, sample_weight in enumerate(tables):
        expected = reference(labels, logits, sample_weight)
        assert set(found) - set(expected) == {"ece"}
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_metric_of_a_fixed_table() -> None:
    """By hand: 10 images, two of them wrong, by a network that is always sure."""
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3, 3])
    logits = 1000 * np.eye(4)[[0, 0, 3, 1, 1, 2, 2, 3, 3, 0]]
    found = {name: value[0] for name, value in scores.weighted(labels, logits, np.ones((1, 10))).items()}
    expected = {
        "accuracy": 8 / 10,
        "balanced_accuracy": (2 / 3 + 1 + 1 + 2 / 3) / 4,
        "macro_f1": (2 / 3 + 1 + 1 + 2 / 3) / 4,
        "mcc": (8 * 10 - (9 + 4 + 4 + 9)) / (100 - (9 + 4 + 4 + 9)),
        "loss": 2 * 1000 / 10,
        "brier": 2 * 2 / 10,
        "ece": 1 - 0.8,
        "miss_rate": 1 / 7,
        "precision_normal": 2 / 3,
        "npv_normal": 6 / 7,
        "recall_normal": 2 / 3,
        "specificity_normal": 6 / 7,
        "f1_normal": 2 / 3,
        # Of 21 pairs 2 x 6 are won, 2 x 1 + 1 x 6 are ties, 1 x 1 is lost.
        "auroc_normal": (12 + 8 / 2) / 21,
        "auprc_normal": 2 / 3 * 2 / 3 + 1 / 3 * 3 / 10,
        "auroc_large_cell_carcinoma": 1,
        "auprc_large_cell_carcinoma": 1,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_a_number_of_copies(seed: int) -> None:
    labels, logits, weights = table(seed, 60, [0, 1, 2, 3], 1)
    copies = np.repeat(np.arange(60), weights.astype(int))
    weighted = scores.weighted(labels, logits, weights[None])
    repeated = scores.weighted(labels[copies], logits[copies], np.ones((1, len(copies))))
    for name in scores.NAMES:
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_the_mean_gap_of_fifteen_bins(seed: int) -> None:
    labels, logits, weights = table(seed, 200, [0, 1, 2, 3], 3)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    error = 0.0
    for upper in np.arange(1, 16) / 15:
        inside = (confidence > upper - 1 / 15) & (confidence <= upper)
        if weights[inside].sum():
            gap = np.average(right[inside], weights=weights[inside])
            gap -= np.average(confidence[inside], weights=weights[inside])
            error += abs(gap) * weights[inside].sum() / weights.sum()
    found = scores.weighted(labels, logits, weights[None])["ece"][0]
    assert found == pytest.approx(error, rel=1e-9)


@pytest.mark.slow  # imports torch
def test_the_calibration_error_agrees_with_torchmetrics() -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchmetrics.functional.classification import multiclass_calibration_error

    labels, logits, _ = table(0, 300, [0, 1, 2, 3], 6)
    probabilities = torch.tensor(softmax(logits.astype(np.float64), axis=1))
    expected = multiclass_calibration_error(probabilities, torch.tensor(labels), num_classes=4, n_bins=15)
    found = scores.weighted(labels, logits, np.ones((1, 300)))["ece"][0]
    assert found == pytest.approx(float(expected), abs=1e-6)


def one_class_truth(predicted: list[int]) -> dict[str, Any]:
    labels = np.zeros(len(predicted), dtype=np.int64)
    logits = np.eye(len(CLASSES))[predicted]
    return scores.weighted(labels, logits, np.ones((1, len(predicted))))


def test_of_a_single_class_only_its_own_numbers_exist() -> None:
    found = one_class_truth([0, 0, 3])
    undefined = {name for name, value in found.items() if np.isnan(value[0])}
    assert undefined == {
        *("mcc", "auroc", "auprc", "specificity_adenocarcinoma"),
        *("precision_large_cell_carcinoma", "precision_squamous_cell_carcinoma"),
        *scores.RANKED_NAMES,
        *(f"{metric}_{name}" for metric in ("recall", "f1") for name in CLASSES[1:]),
    }
    assert found["balanced_accuracy"][0] == pytest.approx(2 / 3)
    assert found["miss_rate"][0] == pytest.approx(1 / 3)


def test_without_cancers_the_miss_rate_is_undefined() -> None:
    logits = np.eye(len(CLASSES))[[3, 0]]
    found = scores.weighted(np.array([3, 3]), logits, np.ones((1, 2)))
    assert np.isnan(found["miss_rate"][0])
    assert found["recall_normal"][0] == 0.5


def test_a_model_that_says_one_thing_has_no_correlation_and_no_ranking() -> None:
    labels = np.array([0, 1, 2, 3, 0, 1])
    found = scores.weighted(labels, np.zeros((6, 4)), np.ones((1, 6)))
    assert found["mcc"][0] == 0
    assert found["auroc"][0] == 0.5
    assert found["loss"][0] == pytest.approx(np.log(4))
