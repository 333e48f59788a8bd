"""The LightningModule: one step, the epoch's sums, and what a checkpoint must carry for an exact resume."""

import math
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from ctexp.config.schema import Settings
from ctexp.core.errors import Diverged
from ctexp.core.metric_names import higher_is_better
from ctexp.data.batches import Batch
from ctexp.evaluation import metrics
from ctexp.training.optim import build_optimizer
from ctexp.training.schedule import Schedule
from ctexp.training.sums import EpochSums

_STEP_SEED = 0x9E3779B97F4A7C15
"""Spreads (seed, step) over the 64-bit seeds; 2**64 divided by the golden ratio (Knuth, TAOCP 3, 6.4)."""


class Classifier(pl.LightningModule):
    """Trains a network on grey images and measures it on the validation split after each epoch.

    Nothing is logged per step, and no step waits for the device. The sums of the epoch are part of every
    checkpoint, so that an interrupted epoch reports as a whole one.

    Args:
        model: from images (B, C, H, W), and features (B, k) where it takes some, to logits (B, 4).
        loss: from logits and labels to a scalar.
        schedule: the learning-rate factor of each step.
        settings: everything that was configured.
    """

    def __init__(self, model: nn.Module, loss: nn.Module, schedule: Schedule, settings: Settings) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.schedule = schedule
        self.settings = settings
        self.val_metrics: dict[str, float] = {}
        self.sums = EpochSums()
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        # Plain containers only: a checkpoint must load with weights_only=True.
        self.save_hyperparameters({"settings": settings.model_dump(mode="json")})

    def configure_optimizers(self) -> Optimizer:
        """The optimizer; its learning rate is set at every step from the schedule."""
        return build_optimizer(self.settings.optimizer, self.model)

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, 4) of images uint8 (B, 1, H, W) and, for networks that take them, features (B, k)."""
        data = self.settings.data
        # (images / 255 - mean) / std, in the fewest passes over memory
        inputs = images.to(torch.get_default_dtype()).sub_(255 * data.mean).mul_(1 / (255 * data.std))
        if self.settings.model.in_channels > 1:
            inputs = inputs.expand(-1, self.settings.model.in_channels, -1, -1)
        if self.settings.trainer.channels_last and inputs.is_cuda:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.model(inputs) if features is None else self.model(inputs, features)
        return logits

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's sums anew; not called when an epoch is resumed in its middle."""
        self.sums = EpochSums()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Make the step a function of (seed, step): its learning rate and all its randomness."""
        step = self.global_step
        seed = (self.settings.seed * _STEP_SEED + step) % 2**63
        # Not torch.manual_seed: without a GPU that keeps a traceback of every call for the day CUDA starts.
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        factor = self.schedule.factor(step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.settings.optimizer.lr * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        logits = self(batch.images, batch.features)
        loss: Tensor = self.loss(logits, batch.labels)
        self.sums.add(self.global_step, loss, logits, batch.labels)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the predictions of the epoch before."""
        self._logits, self._labels = [], []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Keep the logits of one batch."""
        self._logits.append(self(batch.images, batch.features))
        self._labels.append(batch.labels)

    def on_validation_epoch_end(self) -> None:
        """Measure the epoch and tell the schedule.

        Raises:
            Diverged: a logit is not finite.
        """
        logits = torch.cat(self._logits).float().cpu().numpy()
        labels: NDArray[np.int64] = torch.cat(self._labels).cpu().numpy()
        if not np.isfinite(logits).all():
            raise Diverged(
                f"validation logits are not finite after epoch {self.current_epoch + 1}",
                "lower optimizer.lr, set trainer.gradient_clip, or use trainer.precision=32",
            )
        self.val_metrics = metrics.point(labels, logits)
        self.schedule.end_epoch(self.monitored())

    def monitored(self) -> float:
        """The value that selects the best epoch; an undefined one counts as the worst there is."""
        monitor = self.settings.trainer.monitor
        value = self.val_metrics[monitor.removeprefix("val/")]
        if math.isnan(value):
            return -math.inf if higher_is_better(monitor) else math.inf
        return value

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the sums of the epoch and the schedule's memory."""
        checkpoint["epoch_sums"] = self.sums.state()
        checkpoint["schedule"] = self.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them back."""
        self.sums = EpochSums.of(checkpoint["epoch_sums"])
        self.schedule.load_state_dict(checkpoint["schedule"])
