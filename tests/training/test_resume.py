"""A training stopped anywhere and resumed ends as if it had never been stopped, to the last bit."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from ctexp.core.errors import Stopped
from ctexp.training.checkpoints import newest
from ctexp.training.epochs import Row
from tests.training import tiny

STEPS = tiny.STEPS * tiny.EPOCHS
SCHEDULERS: dict[str, dict[str, Any]] = {
    "cosine": {"name": "cosine", "warmup_epochs": 1.0, "min_lr_ratio": 0.0},
    "step": {"name": "step", "warmup_epochs": 0.0, "step_epochs": 1, "gamma": 0.5},
    "plateau": {"name": "plateau", "warmup_epochs": 0.0, "patience": 0, "factor": 0.5},
}


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
    timed = {"seconds", "images_per_second", "cpu_percent", "rss_mb", "gpu_percent", "gpu_memory_mb"}
    return [{key: value for key, value in row.items() if key not in timed} for row in rows]


def check(tmp_path: Path, steps: list[int], signum: signal.Signals, scheduler: str) -> None:
    config = tiny.settings(scheduler=SCHEDULERS[scheduler])
    report = tiny.Quiet()
    whole = tiny.fingerprint(tmp_path / "whole", tiny.train(tmp_path / "whole", config, report=report))
    for step in steps:
        weights, rows = stopped_and_resumed(tmp_path / f"{step}", step, signum, config)
        assert weights == whole, f"stopped in step {step}"
        assert measured(rows) == measured(report.rows), f"stopped in step {step}"


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_stop_in_the_middle_at_the_end_and_after_an_epoch(tmp_path: Path, scheduler: str) -> None:
    check(tmp_path, [1, tiny.STEPS - 1, tiny.STEPS], signal.SIGTERM, scheduler)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_at_every_step(tmp_path: Path, signum: signal.Signals, scheduler: str) -> None:
    check(tmp_path, list(range(STEPS)), signum, scheduler)
