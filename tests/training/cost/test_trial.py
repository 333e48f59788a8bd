"""A trial tells what a training will cost and leaves no trace in it."""

import os
import pickle
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ctexp.config.schema import Settings
from ctexp.core.errors import Stopped
from ctexp.data.batches import TrainBatches
from ctexp.models.tiny_cnn import TinyCnn
from ctexp.training.cost.trial import Trial, trial
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from tests.training import tiny

CPU = torch.device("cpu")
RECIPE: dict[str, Any] = {
    "averaging": {"name": "ema", "decay": 0.9},
    "finetune": {"head_epochs": 1.0},
    "augment": {"mixup": 0.4},
    "sampler": {"name": "class_balanced"},
    "trainer": {"accumulate_grad_batches": 2},
}


def tried(
    module: Classifier, train: TrainBatches, config: Settings, folder: Path, **more: Any
) -> Trial | None:
    return trial(module, train, tiny.val_batches(config), images=12, device=CPU, folder=folder, **more)


@pytest.mark.parametrize("recipe", [{}, RECIPE], ids=["plain", "recipe"])
def test_the_run_is_the_one_it_would_have_been(tmp_path: Path, recipe: dict[str, Any]) -> None:
    config = tiny.settings(**recipe)
    untried = tiny.fingerprint(tmp_path / "a", tiny.train(tmp_path / "a", config))

    module = tiny.classifier(config)
    train = tiny.batches(tiny.Pictures(22, seed=1), config)
    handlers = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    drawn = (torch.get_rng_state(), random.getstate(), pickle.dumps(np.random.get_state()))
    assert tried(module, train, config, tmp_path, micro_batch=True) is not None
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert (random.getstate(), pickle.dumps(np.random.get_state())) == drawn[1:]
    assert all(torch.equal(tensor, weights[name]) for name, tensor in module.state_dict().items())
    assert handlers == [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

    with StopRequests() as requests:
        fit(
            module,
            train,
            tiny.val_batches(config),
            checkpoints=tmp_path / "b" / "checkpoints",
            device=CPU,
            requests=requests,
            watchers=[tiny.Quiet()],
            resume=None,
        )
    assert tiny.fingerprint(tmp_path / "b", module) == untried


class Slow(TinyCnn):
    """20 ms for every batch, and it counts them."""

    calls = 0

    def forward(self, images: Tensor) -> Tensor:
        type(self).calls += 1
        time.sleep(0.02)
        return super().forward(images)


def test_steps_validation_and_checkpoints_are_measured(tmp_path: Path) -> None:
    Slow.calls = 0
    config = tiny.settings(data={"eval_batch_size": 4})
    module = tiny.classifier(config, images=600, model=Slow(1, 4, 0.5))
    train = tiny.batches(tiny.Pictures(600, seed=1), config)
    found = tried(module, train, config, tmp_path)
    assert found is not None
    assert (found.steps, found.steps_per_epoch, found.basis) == (10, 100, "measured 10 steps")
    assert Slow.calls == 13  # two to warm up, ten, and one validation batch
    assert found.step_seconds > 0.02
    assert found.validation_seconds > 0.06  # three batches
    assert found.epoch_seconds > 100 * found.step_seconds
    weights = sum(tensor.nbytes for tensor in module.state_dict().values())
    # The last checkpoint, in which AdamW keeps two more for each weight, and the best one.
    assert (3 + 1) * weights < found.disk_bytes < (3 + 1) * weights + 1_000_000
    assert found.memory_bytes > 10e6
    # Most of the time passes without this process computing, as on a crowded machine: so will figures.
    assert found.end_seconds > 1.2


def test_the_start_of_helpers_is_counted(tmp_path: Path) -> None:
    starts = []
    for devices in (1, 2):
        config = tiny.settings(trainer={"devices": devices})
        found = tried(
            tiny.classifier(config), tiny.batches(tiny.Pictures(22, seed=1), config), config, tmp_path
        )
        assert found is not None
        starts.append(found.start_seconds)
    assert starts[1] >= 8 > starts[0]


def test_it_ends_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctexp.training.cost.stopwatch.SECONDS", 0.0)
    config = tiny.settings()
    module = tiny.classifier(config, images=600)
    found = tried(module, tiny.batches(tiny.Pictures(600, seed=1), config), config, tmp_path)
    assert found is not None
    assert found.steps == 1


def test_what_learns_later_is_measured_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learning: list[int] = []
    original = Classifier.losses

    def losses(self: Classifier, logits: Tensor, batch: Any) -> Tensor:
        learning.append(sum(p.requires_grad for p in self.model.parameters()))
        return original(self, logits, batch)

    monkeypatch.setattr(Classifier, "losses", losses)
    config = tiny.settings(finetune={"head_epochs": 1.0})
    module = tiny.classifier(config)
    assert tried(module, tiny.batches(tiny.Pictures(22, seed=1), config), config, tmp_path)
    assert set(learning) == {len(list(module.model.parameters()))}


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("memory"), ZeroDivisionError("a bug")])
def test_a_failing_step_is_left_to_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object) -> Tensor:
        raise error

    monkeypatch.setattr(Classifier, "losses", failing)
    config = tiny.settings()
    module = tiny.classifier(config)
    before = torch.get_rng_state()
    assert tried(module, tiny.batches(tiny.Pictures(22, seed=1), config), config, tmp_path) is None
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(tmp_path: Path, signum: signal.Signals) -> None:
    class Signalled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(256, 4)

        def forward(self, images: Tensor) -> Tensor:
            os.kill(os.getpid(), signum)
            logits: Tensor = self.layer(images.flatten(1))
            return logits

    config = tiny.settings(model={"dropout": 0.0})
    module = tiny.classifier(config, model=Signalled())
    with pytest.raises(Stopped) as caught:
        tried(module, tiny.batches(tiny.Pictures(22, seed=1), config), config, tmp_path)
    assert caught.value.exit_code == 128 + signum
