"""The learning rate of every step, against torch's own schedules."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch.optim import lr_scheduler

from ctexp.config.schema import SchedulerSettings
from ctexp.training.schedule import Schedule

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
