"""The learning rate of every step, against torch's own schedules."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch.optim import lr_scheduler

from ctexp.config.schema.learning import SchedulerSettings, SwaSettings
from ctexp.training.kernel.schedule import Schedule

STEPS, EPOCHS = 5, 8


def schedule(document: dict[str, Any], *, higher_is_better: bool = True) -> Schedule:
    settings: Any = TypeAdapter[Any](SchedulerSettings).validate_python(document)
    return Schedule(settings, STEPS, EPOCHS, higher_is_better=higher_is_better)


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


def factors(reference: Any, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()
    return values


def test_cosine_is_torchs_after_the_warm_up() -> None:
    ours = schedule({"name": "cosine", "warmup_epochs": 2.0, "min_lr_ratio": 0.1})
    total = EPOCHS * STEPS - 2 * STEPS
    sgd = optimizer()
    expected = factors(lr_scheduler.CosineAnnealingLR(sgd, total, eta_min=0.1), sgd, total)
    assert [ours.factor(2 * STEPS + step) for step in range(total)] == pytest.approx(expected)
    assert [ours.factor(step) for step in range(3)] == pytest.approx([0.1, 0.2, 0.3])


def test_step_is_torchs() -> None:
    ours = schedule({"name": "step", "warmup_epochs": 0.0, "step_epochs": 2, "gamma": 0.3})
    sgd = optimizer()
    expected = factors(lr_scheduler.StepLR(sgd, 2 * STEPS, 0.3), sgd, EPOCHS * STEPS)
    assert [ours.factor(step) for step in range(EPOCHS * STEPS)] == pytest.approx(expected)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_plateau_is_torchs_through_a_checkpoint(higher_is_better: bool) -> None:
    document = {"name": "plateau", "warmup_epochs": 0.0, "patience": 1, "factor": 0.5}
    ours = schedule(document, higher_is_better=higher_is_better)
    sgd = optimizer()
    mode: Any = "max" if higher_is_better else "min"
    reference = lr_scheduler.ReduceLROnPlateau(sgd, mode, factor=0.5, patience=1, threshold=0.0)
    for value in (0.5, 0.6, 0.6, 0.55, 0.5, 0.7, 0.1, 0.1, 0.1, 0.1):
        ours.end_epoch(value)
        reference.step(value)
        resumed = schedule(document, higher_is_better=higher_is_better)
        resumed.load_state_dict(ours.state_dict())
        ours = resumed
        assert ours.factor(3) == pytest.approx(sgd.param_groups[0]["lr"])


def test_constant_is_one_after_the_warm_up() -> None:
    ours = schedule({"name": "constant", "warmup_epochs": 1.0})
    assert [ours.factor(step) for step in (0, 4, 5, 39)] == pytest.approx([0.2, 1.0, 1.0, 1.0])


@pytest.mark.parametrize("rise", [0.2, 0.3, 0.75])
def test_one_cycle_is_torchs(rise: float) -> None:
    ours = schedule({"name": "one_cycle", "rise": rise, "start_ratio": 0.04, "end_ratio": 1e-4})
    sgd = optimizer()
    reference = lr_scheduler.OneCycleLR(
        sgd,
        max_lr=1.0,
        total_steps=EPOCHS * STEPS,
        pct_start=rise,
        div_factor=1 / 0.04,
        final_div_factor=0.04 / 1e-4,
        cycle_momentum=False,
    )
    expected = [sgd.param_groups[0]["lr"]]
    for _ in range(EPOCHS * STEPS - 1):
        sgd.step()
        reference.step()
        expected.append(sgd.param_groups[0]["lr"])
    assert [ours.factor(step) for step in range(EPOCHS * STEPS)] == pytest.approx(expected)
    assert expected[-1] == pytest.approx(1e-4)


def test_one_cycle_of_very_few_steps_only_falls() -> None:
    settings: Any = TypeAdapter[Any](SchedulerSettings).validate_python(
        {"name": "one_cycle", "rise": 0.3, "start_ratio": 0.04, "end_ratio": 0.0}
    )
    for steps in (1, 2, 3):
        ours = Schedule(settings, steps, 1, higher_is_better=True)
        factors = [ours.factor(step) for step in range(steps)]
        assert factors == sorted(factors, reverse=True)
        assert all(0 <= factor <= 1 for factor in factors)


@pytest.mark.parametrize("name", ["cosine", "plateau"])
def test_averaged_epochs_have_one_rate(name: str) -> None:
    document = {
        "cosine": {"name": "cosine", "warmup_epochs": 1.0, "min_lr_ratio": 0.0},
        "plateau": {"name": "plateau", "warmup_epochs": 1.0, "patience": 0, "factor": 0.5},
    }[name]
    averaging = SwaSettings(name="swa", start=0.7, lr_ratio=0.2)
    settings: Any = TypeAdapter[Any](SchedulerSettings).validate_python(document)
    ours = Schedule(settings, STEPS, EPOCHS, higher_is_better=True, averaging=averaging)
    first = 5 * STEPS  # epochs begin at 0.625 and 0.75 of eight
    assert [ours.factor(step) for step in range(first, EPOCHS * STEPS)] == [0.2] * 3 * STEPS
    plain = schedule(document)
    assert [ours.factor(step) for step in range(first)] == [plain.factor(step) for step in range(first)]


@pytest.mark.parametrize(
    ("start", "epochs", "first"), [(0.75, 30, 22), (0.75, 1, 0), (0.29, 100, 29), (0.99, 2, 1)]
)
def test_the_first_averaged_epoch_always_exists(start: float, epochs: int, first: int) -> None:
    assert SwaSettings(name="swa", start=start, lr_ratio=0.1).first_epoch(epochs) == first
