"""The rules about epochs, each on what it is for and on what looks like it and is none."""

import numpy as np
import pytest

from ctexp.core.classes import CLASSES
from ctexp.monitor.rules.curves import curves
from tests.evaluation.test_health import healthy
from tests.monitor.made import rows, seen, told, unknown

T = np.arange(1, 31)
LEAPS = np.where(T % 2, 1.0, -1.0)


def test_a_training_that_goes_well_hears_nothing() -> None:
    assert told(curves(seen(rows(30)))) == {}


@pytest.mark.parametrize("epochs", [15, 40])
def test_of_thirty_noisy_trainings_that_go_well_hardly_any_is_warned(epochs: int) -> None:
    """Their noise is that of other images each epoch; real ones, judged on the same, have less."""
    alarmed = [
        seed
        for seed in range(30)
        if any(one.severity != "note" for one in told(curves(seen(healthy(seed, epochs)))).values())
    ]
    assert len(alarmed) <= 2


def test_a_loss_that_leaps_is_unstable() -> None:
    found = told(curves(seen(rows(30, val__loss=1.0 + 0.5 * LEAPS, learning_rate=1e-3))))["instability"]

    assert found.severity == "warning"
    assert found.evidence["val/loss"] > 0.5


def test_what_a_rate_did_that_has_come_down_is_over() -> None:
    cooled = rows(30, val__loss=1.0 + 0.5 * LEAPS, learning_rate=np.where(T < 28, 1e-3, 1e-5))
    assert "instability" not in told(curves(seen(cooled)))


def test_answers_that_flip_between_classes_that_look_alike_are_not() -> None:
    flipping = rows(30, val__accuracy=0.75 + 0.1 * LEAPS, val__auroc=0.95 + 0.001 * LEAPS, learning_rate=1e-3)
    assert "instability" not in told(curves(seen(flipping)))


def test_what_calmed_down_is_a_note_that_has_passed() -> None:
    leaps = np.where(np.arange(60) < 35, 1.0 + 0.6 * np.tile([1, -1], 30), 0.5)
    early = rows(60, val__loss=leaps, learning_rate=1e-3)
    found = [one for one in curves(seen(early)) if getattr(one, "rule", "") == "instability"]

    assert [(one.severity, one.passed) for one in found] == [("note", True)]  # type: ignore[union-attr]


def test_error_that_grows_with_the_loss_is_drift() -> None:
    surer = rows(30, val__ece=0.05 + 0.008 * T, val__loss=0.6 + 0.03 * np.maximum(0, T - 5))
    found = told(curves(seen(surer)))["calibration_drift"]

    assert found.evidence["val/ece"] > found.evidence["val/ece_then"] + 0.1


def test_error_that_grows_while_the_loss_falls_is_modesty() -> None:
    modest = rows(30, val__ece=0.02 + 0.008 * T)
    assert "calibration_drift" not in told(curves(seen(modest)))


@pytest.mark.parametrize(("share", "slow"), [(0.6, True), (0.3, False)])
def test_slow_input_is_a_matter_of_its_share(share: float, slow: bool) -> None:
    assert ("slow_input" in told(curves(seen(rows(10, input_seconds=2 * share))))) == slow


def test_old_histories_leave_unknown_what_they_do_not_have() -> None:
    old = [{name: value for name, value in row.items() if name != "input_seconds"} for row in rows(10)]
    found = list(curves(seen(old)))

    assert told(found) == {}
    assert unknown(found) == {"slow_input"}


def test_an_idle_gpu_is_a_note_and_an_unmeasured_one_unknown() -> None:
    idle = told(curves(seen(rows(10, gpu_percent=8.0, gpu_memory_mb=900.0))))["gpu_idle"]
    assert idle.severity == "note"
    assert "gpu_idle" not in told(curves(seen(rows(10, gpu_percent=80.0, gpu_memory_mb=900.0))))
    assert "gpu_idle" in unknown(curves(seen(rows(10, gpu_memory_mb=900.0))))
    assert "gpu_idle" not in unknown(curves(seen(rows(10))))  # on a CPU there is none to be idle


def test_few_epochs_are_said_to_be_too_few() -> None:
    found = list(curves(seen(rows(3, val__loss=[1.0, 9.0, 99.0]))))
    assert told(found) == {}
    assert "curves" in unknown(found)
    assert "1 epoch is too few to judge" in [getattr(one, "why", "") for one in curves(seen(rows(1)))]


def test_one_class_for_all_images_is_dead_and_two_are_not() -> None:
    dead = {f"val__recall_{name}": float(name == "normal") for name in CLASSES}
    found = told(curves(seen(rows(12, **dead))))["dead_outputs"]
    assert found.severity == "alarm"
    assert "normal" in found.message
    alive = rows(12, **(dead | {"val__recall_adenocarcinoma": 0.1, "val__recall_normal": 0.9}))
    assert "dead_outputs" not in told(curves(seen(alive)))
