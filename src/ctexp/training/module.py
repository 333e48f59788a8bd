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

_STEP_SEED = 0x9E3779B97F4A7C15
"""Spreads (seed, step) over the 64-bit seeds; 2**64 divided by the golden ratio (Knuth, TAOCP 3, 6.4)."""


class Classifier(pl.LightningModule):
    """Trains a network on grey images and measures it on the validation split after each epoch.

    Nothing is logged per step: the sums of an epoch stay on the device as one tensor, so that a step costs no
    synchronisation, and they are part of the checkpoint, so that an interrupted epoch reports as a whole one.

    Args:
        model: from images (B, C, H, W) to logits (B, 4).
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
        self._sums = torch.zeros(3, dtype=torch.float64)
        self._first_bad_step = torch.tensor(-1)
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        # Plain containers only: a checkpoint must load with weights_only=True.
        self.save_hyperparameters({"settings": settings.model_dump(mode="json")})

    def configure_optimizers(self) -> Optimizer:
        """The optimizer; its learning rate is set at every step from the schedule."""
        return build_optimizer(self.settings.optimizer, self.model)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, 4) of images uint8 (B, 1, H, W)."""
        data = self.settings.data
        inputs = images.to(torch.get_default_dtype()).div_(255).sub_(data.mean).div_(data.std)
        if self.settings.model.in_channels > 1:
            inputs = inputs.expand(-1, self.settings.model.in_channels, -1, -1)
        if self.settings.trainer.channels_last and inputs.is_cuda:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.model(inputs)
        return logits

    def on_train_start(self) -> None:
        """Put the running sums where the model is."""
        self._sums = self._sums.to(self.device)
        self._first_bad_step = self._first_bad_step.to(self.device)

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's sums anew; not called when an epoch is resumed in its middle."""
        self._sums.zero_()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Make the step a function of (seed, step): its learning rate and all its randomness."""
        step = self.global_step
        torch.manual_seed((self.settings.seed * _STEP_SEED + step) % 2**63)
        factor = self.schedule.factor(step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.settings.optimizer.lr * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        logits = self(batch.images)
        loss: Tensor = self.loss(logits, batch.labels)
        with torch.no_grad():
            count = batch.labels.numel()
            correct = (logits.argmax(dim=1) == batch.labels).sum()
            self._sums += torch.stack((loss.double() * count, correct.double(), correct.new_tensor(count)))
            bad = ~torch.isfinite(loss) & (self._first_bad_step < 0)
            self._first_bad_step = torch.where(bad, self.global_step, self._first_bad_step)
        return loss

    def check_finite(self) -> None:
        """Read the device's verdict on the steps so far.

        Raises:
            Diverged: a loss was not finite; the first such step is named.
        """
        step = int(self._first_bad_step)
        if step >= 0:
            raise Diverged(
                f"the training loss is not finite at step {step}",
                "lower optimizer.lr, set trainer.gradient_clip, or use trainer.precision=32",
            )

    def train_metrics(self) -> dict[str, float]:
        """Mean loss and accuracy over the images of the epoch so far."""
        loss, correct, count = self._sums.tolist()
        return {"loss": loss / count, "accuracy": correct / count}

    def on_validation_epoch_start(self) -> None:
        """Forget the predictions of the epoch before."""
        self._logits, self._labels = [], []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Keep the logits of one batch."""
        self._logits.append(self(batch.images))
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
        checkpoint["epoch_sums"] = self._sums.tolist()
        checkpoint["schedule"] = self.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them back."""
        self._sums = torch.tensor(checkpoint["epoch_sums"], dtype=torch.float64)
        self.schedule.load_state_dict(checkpoint["schedule"])
