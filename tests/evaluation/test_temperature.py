"""One number that makes a network as sure as it has a right to be: found, bounded, and honest about it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ctexp.core.errors import DataError
from ctexp.evaluation import scores, temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import HIGHEST, LOWEST, Calibration
from tests import judged


def drawn(n: int, too_sure: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels drawn from the softmax of logits, and those logits times a factor, their temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2.0, size=(n, 4))
    cumulated = scores.softmax(logits).cumsum(axis=1)
    labels = (random.random((n, 1)) > cumulated).sum(axis=1).clip(max=3)
    return labels, too_sure * logits


@pytest.mark.parametrize("too_sure", [0.3, 1.0, 3.0])
def test_a_known_temperature_is_found_again(too_sure: float) -> None:
    labels, logits = drawn(40_000, too_sure, seed=1)

    found = temperature.fit(labels, logits)

    assert found.temperature == pytest.approx(too_sure, rel=0.03)
    assert found.ece[1] < 0.01
    assert not found.notes
    if too_sure != 1.0:
        assert found.loss[1] < found.loss[0] - 0.01
        assert found.ece[1] < found.ece[0] / 5


@pytest.mark.parametrize("seed", range(25))
def test_an_independent_optimiser_agrees(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, logits = drawn(int(random.integers(12, 300)), float(random.uniform(0.4, 4)), seed)

    found = temperature.fit(labels, logits)

    def loss(log_temperature: float) -> float:
        return float(scores.cross_entropy(labels, logits / np.exp(log_temperature)).mean())

    ends = np.log([LOWEST, HIGHEST])
    other = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-10})
    assert found.temperature == pytest.approx(np.exp(other.x), rel=1e-4)
    assert found.loss == pytest.approx((loss(0.0), loss(np.log(found.temperature))))
    assert found.loss[1] <= other.fun + 1e-12


def test_no_image_changes_its_class() -> None:
    _, logits = drawn(500, 2.0, seed=3)
    scaled = temperature.calibrated(logits, 2.0)
    assert (scaled.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert scaled == pytest.approx(scores.softmax(logits / 2))


@pytest.mark.parametrize(("n", "support"), [(1, 2 / 3), (72, 73 / 74)])
def test_where_all_are_right_confidence_is_raised_no_further_than_so_many_images_support(
    n: int, support: float
) -> None:
    labels = np.arange(n) % 4
    logits = np.eye(4)[labels]

    found = temperature.fit(labels, logits)

    assert scores.softmax(logits / found.temperature).max(axis=1).mean() == pytest.approx(support)
    assert any("every image is right" in note for note in found.notes)
    assert found.loss[1] < found.loss[0]


def test_where_all_are_right_and_surer_than_that_nothing_is_changed() -> None:
    labels = np.arange(8) % 4
    assert temperature.fit(labels, 30 * np.eye(4)[labels]).temperature == 1.0


def test_a_network_that_knows_nothing_stops_at_the_bound_and_says_so() -> None:
    labels = np.arange(40) % 4
    found = temperature.fit(labels, 5 * np.eye(4)[(labels + 1) % 4])
    assert found.temperature == HIGHEST
    assert any("beyond 20" in note for note in found.notes)


def test_equal_logits_are_left_alone() -> None:
    found = temperature.fit(np.arange(8) % 4, np.full((8, 4), 3.0))
    assert found.temperature == 1.0
    assert any("nothing to calibrate" in note for note in found.notes)


def test_what_it_rests_on_is_said() -> None:
    labels = np.zeros(10, dtype=np.int64)
    logits = 3 * np.eye(4)[labels]
    logits[0] = logits[0][::-1]
    notes = temperature.fit(labels, logits).notes
    assert "the temperature rests on 1 error alone" in notes
    assert "the temperature was fitted on images of one class alone" in notes


def test_the_summary_has_intervals_and_owns_up_to_its_optimism(split: Callable[..., Predictions]) -> None:
    predictions = split(300, 2.0)
    fitted = temperature.fit(predictions.label, predictions.logits)

    own = temperature.summarise_calibrated(predictions, "val", fitted.temperature, "val")
    other = temperature.summarise_calibrated(predictions, "train", fitted.temperature, "val")

    assert own["metrics"]["val/loss"]["value"] == pytest.approx(fitted.loss[1], rel=1e-5)
    assert own["metrics"]["val/ece"]["value"] == pytest.approx(fitted.ece[1], rel=1e-4)
    assert own["metrics"]["val/ece"]["low"] < own["metrics"]["val/ece"]["high"]
    assert "optimistic" in own["notes"][0]
    assert other["notes"] == []
    assert set(other["metrics"]) == {"train/ece", "train/loss", "train/brier"}


@pytest.mark.parametrize("damaged", ["1e-320", "1e308", "NaN", "-1", "0", "1" + "0" * 400])
def test_a_record_of_a_temperature_that_nobody_fitted_is_refused(tmp_path: Path, damaged: str) -> None:
    kept = tmp_path / "calibration.json"
    judged.calibration("0" * 64).write(kept)
    kept.write_text(kept.read_text().replace("1.2", damaged))
    with pytest.raises(DataError, match=r"calibration\.json: "):
        Calibration.read(kept)
