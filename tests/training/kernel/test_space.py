"""What a run is said to need on the disk is what its checkpoints take."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.record.checkpoint_files import BEST, LAST
from ctexp.training.kernel.space import needed
from tests.training import tiny

RECORD = 4_000_000 + 2 * 4_000
"""What two epochs leave besides."""

SGD = {"name": "sgd", "lr": 0.01, "weight_decay": 0.0, "momentum": 0.0, "nesterov": False}


@pytest.mark.parametrize(
    "changes",
    [{}, {"averaging": {"name": "ema", "decay": 0.9}}, {"optimizer": SGD}],
    ids=["adamw", "averaged", "sgd"],
)
def test_checkpoints_take_what_was_said(tmp_path: Path, changes: dict[str, Any]) -> None:
    config = tiny.settings(trainer={"max_epochs": 2}, **changes)
    wanted = needed(tiny.classifier(config), val_images=0) - RECORD
    tiny.train(tmp_path, config)
    best, last = ((tmp_path / "checkpoints" / name).stat().st_size for name in (BEST, LAST))
    # Names, hyperparameters and padding are not counted; a few hundred bytes for each of some twenty tensors.
    assert wanted == pytest.approx(best + 3 * last, rel=0.1)
