"""Training beside validation."""

import numpy as np
import pytest

from ctexp.monitor.rules.fitting import above_training, learned_by_heart, thrown_off, too_good
from tests.monitor.made import CALM, rows, seen, told, unknown


@pytest.mark.parametrize(("validation", "heard"), [(0.55, True), (0.93, False), (0.85, False)])
def test_a_gap_is_told_where_even_its_lower_end_is_wide(validation: float, heard: bool) -> None:
    learned = rows(20, train__accuracy=0.99, val__accuracy=validation, val__macro_f1=validation)
    assert ("overfitting" in told(learned_by_heart(seen(learned)))) == heard


def test_while_it_trains_no_gap_is_told() -> None:
    learned = rows(20, train__accuracy=0.99, val__accuracy=0.5, val__macro_f1=0.5)
    assert told(learned_by_heart(seen(learned, state="running"))) == {}


def test_validation_above_training_of_images_as_they_are() -> None:
    ahead = rows(20, train__accuracy=0.6, val__accuracy=0.85)
    found = told(above_training(seen(ahead)))["validation_above_training"]
    assert found.evidence["gap"] == pytest.approx(0.25)


@pytest.mark.parametrize("change", [{"augment.horizontal_flip": 0.5}, {"model.dropout": 0.3}])
def test_of_disturbed_training_nobody_can_tell(change: dict[str, float]) -> None:
    ahead = seen(rows(20, train__accuracy=0.6, val__accuracy=0.85), config=CALM | change)
    assert told(above_training(ahead)) == {}
    assert unknown(above_training(ahead)) == {"validation_above_training"}


def test_the_lag_of_training_accuracy_is_no_sign() -> None:
    """It is the mean of an epoch in which the network went on learning."""
    after = np.linspace(0.3, 0.9, 20)
    lagging = rows(20, val__accuracy=after, train__accuracy=after - 0.02)
    assert told(above_training(seen(lagging))) == {}


def test_nearly_all_right_at_once_is_implausible() -> None:
    assert "implausible" in told(too_good(seen(rows(10, val__accuracy=0.99))))
    assert told(too_good(seen(rows(10)))) == {}


def test_a_leap_beyond_training_is_implausible_and_one_up_to_it_is_not() -> None:
    leaps = np.where(np.arange(20) < 10, 0.4, 0.9)
    assert "implausible" in told(too_good(seen(rows(20, val__accuracy=leaps, train__accuracy=0.5))))
    assert told(too_good(seen(rows(20, val__accuracy=leaps, train__accuracy=0.95)))) == {}


def test_first_steps_that_did_lasting_harm() -> None:
    harmed = {"train__loss": np.r_[2.3, np.full(19, 1.25)], "val__loss": np.r_[9.0, np.full(19, 1.2)]}
    assert "instability" in told(thrown_off(seen(rows(20, train__accuracy=0.4, **harmed))))
    assert told(thrown_off(seen(rows(20, train__accuracy=0.9, **harmed)))) == {}  # it recovered
