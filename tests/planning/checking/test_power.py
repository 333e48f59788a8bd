"""What is said of images and seeds before training, set beside what the evaluation says after it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, t

from ctexp.core.classes import CLASSES
from ctexp.core.metric_names import METRICS
from ctexp.evaluation.comparison import mcnemar
from ctexp.evaluation.intervals import wilson
from ctexp.evaluation.metrics import summarise
from ctexp.evaluation.predictions import Predictions
from ctexp.planning.checking import power

EVEN = dict.fromkeys(CLASSES, 20)
KAGGLE = dict(zip(CLASSES, (23, 21, 15, 13), strict=True))


def predictions(labels: list[int], said: list[int]) -> Predictions:
    """Confident answers about images of which each is a group of its own."""
    ids = tuple(f"{index}.png" for index in range(len(labels)))
    logits = np.zeros((len(labels), len(CLASSES)), dtype=np.float32)
    logits[np.arange(len(labels)), said] = 8
    logits += np.random.default_rng(1).normal(0, 0.1, logits.shape).astype(np.float32)
    return Predictions(ids, tuple("0" * 64 for _ in ids), ids, np.array(labels), logits)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(3, 30), min_size=4, max_size=4),
    wrong=st.integers(0, 12),
    seed=st.integers(0, 100),
)
def test_no_answers_reach_beyond_the_best_end(counts: list[int], wrong: int, seed: int) -> None:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    said, rng = list(labels), np.random.default_rng(seed)
    for index in rng.permutation(len(labels))[:wrong]:
        said[index] = int(rng.integers(4))
    metrics = summarise(predictions(labels, said), "val", resamples=100)["metrics"]
    images = dict(zip(CLASSES, counts, strict=True))
    told = 0
    for name, entry in metrics.items():
        for op, bound in ((">=", entry["low"]), ("<=", entry["high"])):
            end = power.best_end(name, op, images)
            if end is not None and bound is not None and power.sensible(name, op):
                told += 1
                assert bound <= end + 1e-9 if op == ">=" else bound >= end - 1e-9, name
    assert told >= 15


def test_the_best_answers_reach_it() -> None:
    labels = [label for label, name in enumerate(CLASSES) for _ in range(KAGGLE[name])]
    metrics = summarise(predictions(labels, labels), "val", resamples=100)["metrics"]
    for name in ("val/accuracy", "val/recall_normal", "val/f1_normal", "val/specificity_normal"):
        assert power.best_end(name, ">=", KAGGLE) == pytest.approx(metrics[name]["low"])
    assert power.best_end("val/miss_rate", "<=", KAGGLE) == pytest.approx(metrics["val/miss_rate"]["high"])
    assert power.best_end("val/auroc", ">=", KAGGLE) is None


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 0.001, 0.5**5])
def test_fewer_differing_images_are_never_called(alpha: float) -> None:
    fewest = power.fewest_differing(alpha)
    wrong, right = np.zeros(fewest, dtype=bool), np.ones(fewest, dtype=bool)
    assert mcnemar(wrong, right).p <= alpha
    assert mcnemar(wrong[1:], right[1:]).p > alpha


@pytest.mark.parametrize(
    "metric", ["val/accuracy", "val/recall_normal", "val/balanced_accuracy", "val/macro_f1"]
)
@pytest.mark.parametrize("images", [EVEN, KAGGLE])
def test_the_fewest_images_change_a_metric_by_no_less_than_said(metric: str, images: dict[str, int]) -> None:
    labels = [label for label, name in enumerate(CLASSES) for _ in range(images[name])]
    own = CLASSES.index("normal") if metric.endswith("normal") else 0
    before = list(labels)
    for index in [index for index, label in enumerate(labels) if label == own][
        : power.fewest_differing(0.05)
    ]:
        before[index] = (own + 1) % 4
    name = metric.partition("/")[2]
    values = [
        summarise(predictions(labels, said), "val", resamples=20)["metrics"][f"val/{name}"]["value"]
        for said in (before, labels)
    ]
    smallest = power.smallest_called(metric, images, (1, 1), 0.05)
    assert 0 < smallest <= values[1] - values[0] + 1e-9
    assert power.smallest_called(metric, images, (3, 3), 0.05) == pytest.approx(smallest / 3)
    assert power.smallest_called(metric, images, (2, 3), 0.05) == pytest.approx(smallest / 6)


@pytest.mark.parametrize(("op", "value"), [(">=", 0.8), (">=", 0.5), ("<=", 0.2)])
def test_a_truth_that_is_told_four_times_in_five(op: str, value: float) -> None:
    groups = dict.fromkeys(CLASSES, 50)
    truth = power.truth_needed("val/accuracy", op, value, groups)
    assert truth is not None
    hits = np.arange(201)
    ends = [wilson(k / 200, 200)[0 if op == ">=" else 1] for k in hits]
    met = [end >= value if op == ">=" else end <= value for end in ends]
    assert binom.pmf(hits, 200, truth)[met].sum() == pytest.approx(0.8, abs=1e-6)


def test_a_value_beyond_all_answers_needs_a_truth_at_the_end_of_the_scale() -> None:
    assert power.truth_needed("val/accuracy", ">=", 0.99, EVEN) == 1.0
    assert power.truth_needed("val/miss_rate", "<=", 0.001, EVEN) == 0.0
    assert power.truth_needed("val/auroc", ">=", 0.9, EVEN) is None


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_a_difference_that_is_decided_four_times_in_five(level: float) -> None:
    """Images won at random, none lost, and seeds that add as much as images do."""
    groups = dict.fromkeys(CLASSES, 60)
    size = power.detectable("val/accuracy", groups, (1, 1), level)
    assert size is not None
    rng, total = np.random.default_rng(3), 240
    error = np.sqrt(size * (1 - size) / total)
    seen = rng.binomial(total, size, 4000) / total + rng.normal(0, error, 4000)
    decided = 2 * t.sf(np.abs(seen) / (np.sqrt(2) * error), total - 1) <= level
    assert decided.mean() == pytest.approx(0.8, abs=0.04)


def test_more_images_and_more_seeds_show_smaller_differences() -> None:
    few, many = dict.fromkeys(CLASSES, 10), dict.fromkeys(CLASSES, 1000)
    for metric in ("val/accuracy", "val/macro_f1", "val/miss_rate"):
        sizes = [
            power.detectable(metric, groups, seeds, 0.05)
            for groups, seeds in ((few, (1, 1)), (few, (2, 2)), (few, (5, 5)), (many, (5, 5)))
        ]
        assert all(size is not None for size in sizes)
        assert sizes == sorted(sizes, key=lambda size: -(size or 0))
    assert power.detectable("val/auroc", few, (1, 1), 0.05) is None


def test_as_many_images_as_are_asked_for_do() -> None:
    count = power.images_needed("val/accuracy", 0.05, EVEN, (1, 1), 0.05)
    enough = dict.fromkeys(CLASSES, -(-count // 4))
    size = power.detectable("val/accuracy", enough, (1, 1), 0.05)
    assert size == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize("metric", [f"val/{name}" for name in METRICS])
def test_ranges(metric: str) -> None:
    low, high = {"val/brier": (0, 2), "val/mcc": (-1, 1), "val/loss": (0, np.inf)}.get(metric, (0, 1))
    assert power.reachable(metric, ">=", low) == (True, False)
    assert power.reachable(metric, "<", low) == (False, True)
    if np.isfinite(high):
        assert power.reachable(metric, ">", high) == (False, True)
        assert power.reachable(metric, "<=", high) == (True, False)
    assert power.reachable(metric, ">=", 0.5) == power.reachable(metric, "<", 0.5) == (True, True)
