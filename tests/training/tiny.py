"""A training small enough to be run hundreds of times: 22 images of 16 pixels, three epochs of four steps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Callback
from torch import nn

from ctexp.config.schema import Settings
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.data.pixels import HostPixels
from ctexp.models.tiny_cnn import TinyCnn
from ctexp.record.checkpoint_files import BEST
from ctexp.training.kernel.averaging import build_average
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.checkpoints import load
from ctexp.training.kernel.epochs import EpochReport, Row
from ctexp.training.kernel.finetune import Finetuning
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import build_loss, build_train_batches
from ctexp.training.kernel.schedule import Schedule
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.ranks import Others, helped

Opened = Callable[[torch.device], tuple[TrainBatches, EvalBatches]]
"""Training and validation batches, from where they are used."""

STEPS = 4
EPOCHS = 3

SETTINGS: dict[str, Any] = {
    "seed": 7,
    "run": {"name": "tiny", "tags": [], "description": ""},
    "git": {"dirty": "warn"},
    "paths": {"data": "data", "runs": "runs"},
    "model": {
        "name": "tiny_cnn",
        "pretrained": False,
        "weights": None,
        "in_channels": 1,
        "attention": "none",
        "fusion": "none",
        "dropout": 0.5,
        "stochastic_depth": 0.0,
    },
    "data": {
        "name": "phantom",
        "split": "official",
        "fold": None,
        "sample": None,
        "image_size": 16,
        "resize": "pad",
        "batch_size": 6,
        "eval_batch_size": 8,
        "cache": "disk",
        "mean": 0.449,
        "std": 0.226,
    },
    "augment": {
        "horizontal_flip": 0.5,
        "vertical_flip": 0.0,
        "rotation": 10.0,
        "scale": 0.1,
        "translate": 0.05,
        "crop": 0.0,
        "elastic": 0.02,
        "brightness": 0.1,
        "contrast": 0.1,
        "gamma": 0.1,
        "jpeg": 0.3,
        "noise": 0.02,
        "erasing": 0.2,
        "mixup": 0.0,
        "cutmix": 0.0,
    },
    "sampler": {"name": "uniform"},
    "features": {"name": "none", "dropout": 0.0},
    "finetune": {"head_epochs": 0.0, "stage_epochs": 0.0, "frozen_stages": 0, "layer_decay": 1.0},
    "loss": {"name": "cross_entropy", "label_smoothing": 0.1, "class_weights": "none"},
    "optimizer": {"name": "adamw", "lr": 0.01, "weight_decay": 0.05, "beta1": 0.9, "beta2": 0.999},
    "scheduler": {"name": "cosine", "warmup_epochs": 1.0, "min_lr_ratio": 0.0},
    "averaging": {"name": "none"},
    "trainer": {
        "max_epochs": EPOCHS,
        "max_minutes": None,
        "accelerator": "cpu",
        "precision": "32",
        "channels_last": True,
        "compile": False,
        "monitor": "val/macro_f1",
        "accumulate_grad_batches": 1,
        "gradient_clip": None,
        "on_oom": "stop",
        "early_stopping": None,
    },
    "inference": {"tta": "none"},
    "logger": {
        "name": "none",
        "also": [],
        "url": None,
        "mode": "offline",
        "project": "ctexp",
        "entity": None,
        "log_model": "none",
        "timeout": 5.0,
    },
}


def settings(**changes: dict[str, Any]) -> Settings:
    """The tiny settings with some groups' keys replaced, for example `trainer={"max_epochs": 1}`."""
    document: dict[str, Any] = {
        group: {**values, **changes.get(group, {})} if isinstance(values, dict) else values
        for group, values in SETTINGS.items()
    }
    for group in ("scheduler", "optimizer", "loss", "averaging"):
        if "name" in changes.get(group, {}):
            document[group] = changes[group]
    return Settings.model_validate(document)


class Pictures:
    """Noise with a bright square whose corner tells the class."""

    def __init__(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.labels: NDArray[np.int64] = np.arange(count) % 4
        self._images = rng.integers(0, 120, (count, 16, 16)).astype(np.uint8)
        for image, label in zip(self._images, self.labels, strict=True):
            image[8 * (label // 2) :, 8 * (label % 2) :][:8, :8] += 100

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images (n, 16, 16)."""
        return self._images[indices]


class Quiet(EpochReport):
    """Collects rows instead of printing them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        super().__init__("val/macro_f1", (self.rows.append,))


def batches(pictures: Pictures, config: Settings) -> TrainBatches:
    """The training batches of some pictures."""
    return build_train_batches(config, HostPixels(pictures), pictures.labels)


def val_batches(config: Settings) -> EvalBatches:
    """What a training is judged on."""
    pictures = Pictures(12, seed=2)
    return EvalBatches(HostPixels(pictures), pictures.labels, config.data.eval_batch_size)


def both_batches(images: int, config: Settings, device: torch.device) -> tuple[TrainBatches, EvalBatches]:
    """What so many images are trained and judged on; pictures are where the processor is."""
    del device
    return batches(Pictures(images, seed=1), config), val_batches(config)


def network(config: Settings) -> TinyCnn:
    """The network with the first weights of a training, wherever nothing has been drawn since the seed."""
    return TinyCnn(1, 4, config.model.dropout)


def classifier(config: Settings, *, images: int = 22, model: nn.Module | None = None) -> Classifier:
    """What is trained on so many images."""
    torch.manual_seed(config.seed)
    trained = model or network(config)
    pictures = Pictures(images, seed=1)
    steps = len(batches(pictures, config))
    return Classifier(
        trained,
        build_loss(config, np.bincount(pictures.labels).tolist()),
        Schedule(
            config.scheduler,
            steps,
            config.trainer.max_epochs,
            higher_is_better=True,
            averaging=config.averaging,
        ),
        Finetuning(trained, config.finetune, steps),
        build_average(config, trained),
        config,
    )


def train(
    folder: Path,
    config: Settings | None = None,
    *,
    report: Callback | None = None,
    resume: Path | None = None,
    requests: StopRequests | None = None,
    budget: TimeBudget | None = None,
    images: int = 22,
    model: nn.Module | None = None,
    pieces: int | None = None,
    processes: int = 1,
    opened: Opened | None = None,
) -> Classifier:
    """One call of `fit` on so many training images; the module that comes back has the final weights.

    Helpers open their batches by `opened`, where it is given.
    """
    config = config or settings()
    module = classifier(config, images=images, model=model)
    module.pieces = pieces or module.pieces
    cpu, checkpoints = torch.device("cpu"), folder / "checkpoints"
    on = partial(both_batches, images, config)
    train, val = on(cpu)
    others = Others((cpu,) * (processes - 1), opened or on)
    with (
        requests or StopRequests() as stop,
        helped(others, cpu, module, checkpoints, resume) as team,
    ):
        fit(
            module,
            train,
            val,
            checkpoints=checkpoints,
            device=cpu,
            requests=stop,
            budget=budget,
            watchers=[report or Quiet()],
            resume=resume,
            team=team,
        )
    return module


def fingerprint(folder: Path, module: Classifier) -> tuple[bytes, ...]:
    """The bytes of every final and every best weight: equal only for equal trainings."""
    best = load(folder / "checkpoints" / BEST)["state_dict"]
    final = module.state_dict()
    return tuple(t.numpy().tobytes() for state in (final, best) for t in state.values())
