"""A training stopped anywhere and resumed ends as if it had never been stopped, to the last bit."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from ctexp.core.errors import Stopped
from ctexp.training.kernel.checkpoints import newest
from ctexp.training.kernel.epochs import Row
from tests.training import tiny

STEPS = tiny.STEPS * tiny.EPOCHS
Option = dict[str, dict[str, Any]]

SCHEDULERS: dict[str, dict[str, Any]] = {
    "cosine": {"name": "cosine", "warmup_epochs": 1.0, "min_lr_ratio": 0.0},
    "one_cycle": {"name": "one_cycle", "rise": 0.3, "start_ratio": 0.04, "end_ratio": 1e-4},
    "step": {"name": "step", "warmup_epochs": 0.0, "step_epochs": 1, "gamma": 0.5},
    "plateau": {"name": "plateau", "warmup_epochs": 0.0, "patience": 0, "factor": 0.5},
    "constant": {"name": "constant", "warmup_epochs": 0.5},
}
AVERAGES: dict[str, dict[str, Any]] = {
    "last": {"name": "none"},
    "ema": {"name": "ema", "decay": 0.9},
    "swa": {"name": "swa", "start": 0.4, "lr_ratio": 0.5},  # from the second of three epochs on
}
MIXING: dict[str, dict[str, Any]] = {
    "alone": {},
    "mixup": {"mixup": 0.4},
    "cutmix": {"cutmix": 1.0},
    "both": {"mixup": 0.4, "cutmix": 1.0},
}
LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy": {"name": "cross_entropy", "label_smoothing": 0.1, "class_weights": "balanced"},
    "focal": {"name": "focal", "gamma": 2.0, "class_weights": "none"},
    "class_balanced": {"name": "class_balanced", "beta": 0.9, "label_smoothing": 0.1},
    "balanced_softmax": {"name": "balanced_softmax", "label_smoothing": 0.1},
    "pairwise_confusion": {"name": "pairwise_confusion", "confusion": 0.5, "label_smoothing": 0.0},
}
SAMPLERS = ("uniform", "class_balanced")

IN_PARTS: Option = {"trainer": {"accumulate_grad_batches": 2}, "data": {"batch_size": 3}}
"""As many steps, each computed in two parts."""

TOGETHER = [
    ("cosine", "ema", "class_balanced", "mixup", "focal"),
    ("one_cycle", "swa", "uniform", "cutmix", "pairwise_confusion"),
    ("plateau", "swa", "class_balanced", "both", "balanced_softmax"),
    ("constant", "ema", "uniform", "alone", "class_balanced"),
    ("step", "last", "class_balanced", "cutmix", "cross_entropy"),
]
"""Every option once: schedule, average, sampler, mixing, loss."""


class SignalAtStep(tiny.Quiet):
    """Sends this very process a signal when a step begins."""

    def __init__(self, step: int, signum: signal.Signals) -> None:
        super().__init__()
        self._step = step
        self._signum = signum

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        del pl_module, batch, batch_idx
        if trainer.global_step == self._step:
            os.kill(os.getpid(), self._signum)


def stopped_and_resumed(
    folder: Path, step: int, signum: signal.Signals, config: Any
) -> tuple[tuple[bytes, ...], list[Row]]:
    stopped = SignalAtStep(step, signum)
    with pytest.raises(Stopped) as caught:
        tiny.train(folder, config, report=stopped)
    assert caught.value.exit_code == 128 + signum
    rest = tiny.Quiet()
    found = newest(folder / "checkpoints")
    assert found is not None
    module = tiny.train(folder, config, report=rest, resume=found.path)
    return tiny.fingerprint(folder, module), stopped.rows + rest.rows


def measured(rows: list[Row]) -> list[Row]:
    """History without what depends on the clock."""
    machine = {"cpu_percent", "rss_mb", "gpu_percent", "gpu_memory_mb"}
    timed = {"seconds", "images_per_second", "input_seconds", *machine}
    return [{key: value for key, value in row.items() if key not in timed} for row in rows]


def check(tmp_path: Path, steps: list[int], signum: signal.Signals, **changes: dict[str, Any]) -> None:
    config = tiny.settings(**changes)
    report = tiny.Quiet()
    whole = tiny.fingerprint(tmp_path / "whole", tiny.train(tmp_path / "whole", config, report=report))
    for step in steps:
        weights, rows = stopped_and_resumed(tmp_path / f"{step}", step, signum, config)
        assert weights == whole, f"stopped in step {step}"
        assert measured(rows) == measured(report.rows), f"stopped in step {step}"


def test_a_stop_in_the_middle_at_the_end_and_after_an_epoch(tmp_path: Path) -> None:
    check(tmp_path, [1, tiny.STEPS - 1, tiny.STEPS], signal.SIGTERM)


def check_recipe(tmp_path: Path, scheduler: str, average: str, sampler: str, mixing: str, loss: str) -> None:
    """Stop with the last step of the first averaged epoch, and in the middle of the next."""
    check(
        tmp_path,
        [2 * tiny.STEPS - 1, 2 * tiny.STEPS + 1],
        signal.SIGTERM,
        scheduler=SCHEDULERS[scheduler],
        averaging=AVERAGES[average],
        sampler={"name": sampler},
        augment=MIXING[mixing],
        loss=LOSSES[loss],
        **IN_PARTS,
    )


@pytest.mark.parametrize("recipe", TOGETHER, ids="-".join)
def test_every_option_of_a_recipe_resumes_exactly(tmp_path: Path, recipe: tuple[str, ...]) -> None:
    check_recipe(tmp_path, *recipe)


@pytest.mark.slow
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_any_options_together_resume_exactly(tmp_path: Path, scheduler: str, average: str) -> None:
    """Samplers, mixing and losses remember nothing, so they take turns."""
    turn = list(SCHEDULERS).index(scheduler) + list(AVERAGES).index(average)
    others = (list(of)[turn % len(of)] for of in (SAMPLERS, MIXING, LOSSES))
    check_recipe(tmp_path, scheduler, average, *others)


@pytest.mark.slow
@pytest.mark.parametrize(("scheduler", "signum"), [("cosine", signal.SIGTERM), ("plateau", signal.SIGINT)])
def test_a_stop_at_every_step(tmp_path: Path, scheduler: str, signum: signal.Signals) -> None:
    """By a schedule that is a function of the step, and by the one that remembers."""
    check(tmp_path, list(range(STEPS)), signum, scheduler=SCHEDULERS[scheduler])
