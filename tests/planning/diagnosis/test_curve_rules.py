"""What curves show: trainings that go off course, learn too little, or learn their images by heart."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.findings import Kind
from ctexp.planning.diagnosis.rules import RULES
from ctexp.planning.diagnosis.rules.instability import all_diverged
from tests.planning.diagnosis.made import answers, curve, difference, evidence, facts, recipe

CURVES: tuple[Kind, ...] = ("instability", "underfitting", "overfitting", "capacity")


def trained(seeds: int = 3, *, settings: dict[str, Any] | None = None, **how: Any) -> Evidence:
    made = answers([60] * 4, 3, seeds)
    return evidence(made, curve(**how), incumbent=recipe(seeds=tuple(made), settings=settings))


def states(seen: Evidence) -> dict[str, str]:
    return {kind: RULES[kind](seen).state for kind in CURVES}


def test_a_training_that_went_well_hears_nothing() -> None:
    assert set(states(trained()).values()) == {"not seen"}
    assert RULES["overfitting"](trained()).confidence == "high"
    assert RULES["overfitting"](trained(1)).confidence == "low"


def test_a_gap_beyond_its_interval_is_overfitting() -> None:
    seen = trained(train_accuracy=1.0, val_accuracy=0.75)
    found = RULES["overfitting"](seen)
    assert (found.state, found.confidence) == ("seen", "high")
    assert found.evidence["gap"]["seed 1"]["low"] > 0.04
    assert RULES["overfitting"](trained(1, train_accuracy=1.0, val_accuracy=0.75)).confidence == "moderate"
    small = evidence(
        answers([10] * 4, 3), curve(train_accuracy=1.0, val_accuracy=0.93), data=facts(val=(10,) * 4)
    )
    assert RULES["overfitting"](small).state == "not seen"  # forty images cannot tell


def test_a_validation_loss_that_rises_is_overfitting() -> None:
    seen = trained(train_accuracy=0.99, val_accuracy=0.93, val_rise=0.6)
    found = RULES["overfitting"](seen)
    assert found.state == "seen"
    assert "val/loss rose" in found.said


def test_a_class_that_is_rare_in_training_alone_is_no_overfitting() -> None:
    """Accuracy of training and of validation are then of different mixtures."""
    recalls = {"squamous_cell_carcinoma": 0.0}
    how: dict[str, Any] = {"train_accuracy": 0.96, "val_accuracy": 0.71, "recalls": recalls | {}}
    rows = curve(
        **{
            **how,
            "recalls": dict.fromkeys(("adenocarcinoma", "large_cell_carcinoma", "normal"), 0.95) | recalls,
        }
    )
    rare = evidence(answers([60] * 4, 3, 2), rows, data=facts(train=(100, 100, 4, 100)))
    assert RULES["overfitting"](rare).state == "not seen"
    even = evidence(answers([60] * 4, 3, 2), rows, data=facts(train=(100, 100, 100, 100)))
    assert RULES["overfitting"](even).state == "seen"


def test_training_that_was_cut_short() -> None:
    found = RULES["cut_short"](trained(epochs=30, time=14.0))
    assert (found.state, found.confidence) == ("seen", "high")
    assert "cut off at epoch 30 of 30 while it still learned: train/loss fell by" in found.said
    assert RULES["underfitting"](trained(epochs=30, time=14.0)).state == "unknown"
    stopped = trained(epochs=30, time=14.0)
    early = [replace(one, facts=replace(one.facts, max_epochs=60)) for one in stopped.trainings]
    assert RULES["cut_short"](replace(stopped, trainings=tuple(early))).state == "not seen"


def test_six_epochs_that_still_learn_have_not_come_to_rest() -> None:
    """Of so few the medians of three overlap, and the loss seems to fall by less than it does."""
    how: dict[str, Any] = {"train_accuracy": 0.6, "val_accuracy": 0.55, "train_loss": 0.9, "val_loss": 1.0}
    rows = curve(6, time=12.0, **how)
    made = answers([60] * 4, 3, 2)
    seen = evidence(made, rows, max_epochs=6)
    assert RULES["cut_short"](seen).state == "seen"
    assert "at epoch 6 of 6" in RULES["cut_short"](seen).said
    assert RULES["cut_short"](seen).headroom is not None
    assert RULES["underfitting"](seen).state == "unknown"


def test_guesses_are_no_sure_underfitting() -> None:
    rows = curve(train_accuracy=0.26, val_accuracy=0.25, train_loss=1.38, val_loss=1.39)
    known = RULES["underfitting"](evidence(answers([60] * 4, 3, 2), rows))
    assert (known.state, known.confidence) == ("seen", "moderate")
    guessed = RULES["underfitting"](evidence(answers([60] * 4, 1e-9, 2), rows))
    assert (guessed.state, guessed.confidence) == ("seen", "low")


def test_little_learned_is_underfitting_and_not_capacity() -> None:
    seen = trained(train_accuracy=0.45, val_accuracy=0.46, train_loss=1.2, val_loss=1.2)
    assert RULES["underfitting"](seen).state == "seen"
    assert "less than half" in RULES["underfitting"](seen).said
    assert RULES["capacity"](seen).state == "unknown"


def test_what_too_little_learning_costs_is_that_of_its_seeds_together_and_not_of_the_worst() -> None:
    how: dict[str, Any] = {"train_accuracy": 0.45, "train_loss": 1.2, "val_loss": 1.2}
    better, worse = trained(val_accuracy=0.46, **how), trained(val_accuracy=0.36, **how)
    costs = [RULES["underfitting"](one).headroom for one in (better, worse)]
    assert costs[0] is not None
    assert costs[1] is not None
    mixed = replace(better, trainings=(better.trainings[0], worse.trainings[1]))
    assert costs[1] - costs[0] == pytest.approx(0.1, abs=0.03)
    assert RULES["underfitting"](mixed).headroom == pytest.approx((costs[0] + costs[1]) / 2, abs=0.02)


def test_training_images_that_stay_wrong_are_capacity() -> None:
    how: dict[str, Any] = {"train_accuracy": 0.78, "val_accuracy": 0.77, "train_loss": 0.6, "val_loss": 0.65}
    found = RULES["capacity"](trained(**how))
    assert (found.state, found.confidence) == ("seen", "moderate")
    assert RULES["capacity"](trained(1, **how)).confidence == "low"
    mixed = trained(settings={"augment.mixup": 0.4}, **how)
    assert RULES["capacity"](mixed).state == "unknown"  # mixed images cannot all be right


@pytest.mark.parametrize(("gain", "state"), [(0.06, "seen"), (-0.02, "not seen"), (0.02, "unknown")])
def test_a_larger_network_that_was_tried_decides_about_capacity(gain: float, state: str) -> None:
    larger = recipe("resnet50", (1, 2, 3), parameters=5000)
    seen = replace(
        trained(),
        recipes=(recipe(seeds=(1, 2, 3)), larger),
        differences=(difference("resnet50", gain, 0.015),),
    )
    assert RULES["capacity"](seen).state == state


def test_trainings_that_diverged() -> None:
    made = answers([60] * 4, 3, 2)
    for diverged, confidence in ((1, "moderate"), (2, "high")):
        seen = evidence(made, incumbent=recipe(seeds=(1, 2), diverged=diverged))
        found = RULES["instability"](seen)
        assert (found.state, found.confidence) == ("seen", confidence)
        assert f"{diverged} of {2 + diverged} " in found.said
        assert "base-90" in found.cites


def test_a_neighbour_that_diverged_is_a_hint_and_one_with_a_far_higher_rate_none() -> None:
    made = answers([60] * 4, 3, 3)
    near = recipe("sgd", (), settings={"optimizer.name": "sgd"}, diverged=1)
    found = RULES["instability"](evidence(made, failed=[near]))
    assert (found.state, found.confidence) == ("seen", "low")
    hot = recipe("hot", (), settings={"optimizer.lr": 1e-2}, diverged=1)
    assert RULES["instability"](evidence(made, failed=[hot])).state == "not seen"


def test_curves_that_jump_and_losses_that_explode() -> None:
    jumping = RULES["instability"](trained(val_accuracy=0.8, jumps=0.12))
    assert (jumping.state, jumping.confidence) == ("seen", "high")
    rows = curve()
    for row in rows[20:]:
        row["train/loss"] = 3.0
    exploded = RULES["instability"](evidence(answers([60] * 4, 3), rows))
    assert (exploded.state, exploded.confidence) == ("seen", "moderate")
    assert "train/loss rose" in exploded.said


def test_steps_that_threw_a_network_off_for_good() -> None:
    how: dict[str, Any] = {"train_accuracy": 0.42, "val_accuracy": 0.45, "train_loss": 1.26, "val_loss": 1.2}
    rows = curve(**how)
    rows[0]["val/loss"] = 9.0
    made = answers([60] * 4, 1, 2)
    assert RULES["instability"](evidence(made, rows)).state == "seen"
    assert RULES["instability"](evidence(made, curve(**how))).state == "not seen"
    recovered = curve()
    recovered[0]["val/loss"] = 9.0  # and learned all the same
    assert RULES["instability"](evidence(made, recovered)).state == "not seen"


def test_seeds_that_end_far_apart() -> None:
    seen = replace(trained(4), values={1: 0.55, 2: 0.9, 3: 0.72, 4: 0.88}, image_error=0.03)
    found = RULES["instability"](seen)
    assert (found.state, found.confidence) == ("seen", "moderate")
    assert "from 0.550 to 0.900" in found.said
    alike = replace(seen, values={1: 0.86, 2: 0.9, 3: 0.83, 4: 0.88})
    assert RULES["instability"](alike).state == "not seen"


def test_where_everything_diverged() -> None:
    found = all_diverged([recipe("hot", (), diverged=2)])
    assert found is not None
    assert (found.state, found.confidence) == ("seen", "moderate")
    assert all_diverged([]) is None


def test_short_curves_tell_nothing() -> None:
    seen = trained(epochs=4)
    assert states(seen) == dict.fromkeys(CURVES, "unknown")


def test_old_histories_without_recalls_are_judged_by_plain_accuracy() -> None:
    rows = [{key: its for key, its in row.items() if "recall" not in key} for row in curve(val_accuracy=0.7)]
    assert RULES["overfitting"](evidence(answers([60] * 4, 3), rows)).state == "seen"


def test_a_curve_that_is_not_finite_is_not_judged() -> None:
    rows = curve()
    rows[3]["val/loss"] = math.nan
    seen = evidence(answers([60] * 4, 3), rows)
    assert RULES["overfitting"](seen).state == "unknown"
    assert np.isfinite(seen.chance)
