"""A training that goes on in smaller parts is the one that was resumed with them, to the last bit."""

import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ctexp.core.errors import Stopped
from ctexp.record.history import History
from ctexp.record.result import Deviation
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.checkpoints import newest
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.memory.parts import FitInParts
from tests.training import tiny
from tests.training.kernel.test_resume import SignalAtStep


def test_from_the_checkpoint_on_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny.settings(trainer={"on_oom": "retry"}, averaging={"name": "ema", "decay": 0.9})
    original = Classifier.losses

    def exhausted(self: Classifier, logits: Tensor, batch: Any) -> Tensor:
        if self.global_step == tiny.STEPS + 1 and len(logits) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, logits, batch)

    deviations: list[Deviation] = []
    history = History(tmp_path / "history.csv")
    with StopRequests() as requests, monkeypatch.context() as patch:
        patch.setattr(Classifier, "losses", exhausted)
        fitting = FitInParts(
            module=tiny.classifier(config),
            train=tiny.batches(tiny.Pictures(22, seed=1), config),
            val=tiny.val_batches(config),
            images=22,
            checkpoints=tmp_path / "retried" / "checkpoints",
            device=torch.device("cpu"),
            requests=requests,
            budget=TimeBudget(None),
            history=history,
            watchers=lambda: [tiny.Quiet()],
            depart=deviations.append,
            note=lambda _: None,
        )
        fitting(None)
    assert [(d.before, d.after, d.step) for d in deviations] == [(1, 2, tiny.STEPS)]

    folder = tmp_path / "configured"
    with pytest.raises(Stopped):
        tiny.train(folder, config, report=SignalAtStep(tiny.STEPS - 1, signal.SIGTERM))
    found = newest(folder / "checkpoints")
    assert found is not None
    resumed = tiny.train(folder, config, resume=found.path, pieces=2)
    assert tiny.fingerprint(tmp_path / "retried", fitting.module) == tiny.fingerprint(folder, resumed)
    whole = tiny.train(tmp_path / "whole", config)
    assert tiny.fingerprint(tmp_path / "whole", whole) != tiny.fingerprint(folder, resumed)
