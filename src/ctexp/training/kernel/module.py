"""The LightningModule: one step, the epoch's sums, and what a checkpoint must carry for an exact resume."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from ctexp.config.schema import Settings
from ctexp.core.classes import CLASSES
from ctexp.core.errors import Diverged
from ctexp.core.heartbeat import beat
from ctexp.core.metric_names import higher_is_better
from ctexp.data.batches import Batch, TrainBatches
from ctexp.evaluation import metrics
from ctexp.training.kernel.averaging import Average, Inputs
from ctexp.training.kernel.finetune import Finetuning
from ctexp.training.kernel.network import put, standardised
from ctexp.training.kernel.optim import build_optimizer
from ctexp.training.kernel.schedule import Schedule
from ctexp.training.kernel.sums import EpochSums
from ctexp.training.kernel.team import ALONE

_STEP_SEED = 0x9E3779B97F4A7C15
"""Spreads (seed, step) over the 64-bit seeds; 2**64 divided by the golden ratio (Knuth, TAOCP 3, 6.4)."""

_PIECE_SEED = 0xD1B54A32D192ED03
"""Spreads the parts of a step likewise (Steele and Vigna 2021)."""

_SHARE_SEED = 0xBF58476D1CE4E5B9
"""And the shares of a part (Stafford's mix 13, as in SplitMix64)."""


class Classifier(pl.LightningModule):
    """Trains a network on grey images and measures it on the validation split after each epoch.

    A batch is what one optimizer step learns from; it is computed in `pieces` parts, whose number decides how
    much memory a step takes and, but for batch normalisation and dropout, nothing else. Nothing is logged per
    step, and no step waits for the device. The sums of the epoch are part of every checkpoint, so that an
    interrupted epoch reports as a whole one.

    Where a team computes together, each process does all of this, and what it knows of a step is the same:
    the losses and logits of all images, and the gradient of their mean.

    Args:
        model: from images (B, C, H, W), and features (B, k) where it takes some, to logits (B, 4).
        loss: from logits and labels to a loss for each image.
        schedule: the learning-rate factor of each step.
        finetuning: which parts of the model learn at which step, and how fast.
        average: of the weights over the steps, validated and kept in their place; None keeps the last.
        settings: everything that was configured.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        schedule: Schedule,
        finetuning: Finetuning,
        average: Average | None,
        settings: Settings,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.loss = loss
        self.average = average
        self.schedule = schedule
        self.finetuning = finetuning
        self.settings = settings
        self.pieces = settings.trainer.accumulate_grad_batches
        self.team = ALONE
        self.val_metrics: dict[str, float] = {}
        self.sums = EpochSums()
        self._step: tuple[int, Tensor, Tensor, Tensor]
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        # Plain containers only: a checkpoint must load with weights_only=True.
        self.save_hyperparameters({"settings": settings.model_dump(mode="json")})

    @property
    def network(self) -> nn.Module:
        """What answers after training: the averaged weights once there are some, else those being trained."""
        return self.model if self.average is None else self.average.network(self.model)

    def configure_optimizers(self) -> Optimizer:
        """The optimizer; its learning rate is set at every step from the schedule."""
        return build_optimizer(self.settings, self.finetuning, self.device)

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, 4) of images uint8 (B, 1, H, W) and, for networks that take them, features (B, k)."""
        network = self.model if self.training else self.network
        logits: Tensor = network(*self._inputs(images, features))
        return logits

    def _inputs(self, images: Tensor, features: Tensor | None) -> Inputs:
        """What the network is called with."""
        inputs = standardised(images, self.settings)
        return (inputs,) if features is None else (inputs, features)

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's sums anew; not called when an epoch is resumed in its middle."""
        self.sums = EpochSums()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Make the step a function of its number: what learns, and at which rate."""
        step = self.global_step
        self.finetuning.apply(step)
        rate = self.settings.optimizer.lr * self.schedule.factor(step)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate * group["rate"]

    def training_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """One optimizer step."""
        optimizer = self.optimizers()
        assert not isinstance(optimizer, list)  # noqa: S101 - for the type checker
        step = self.global_step
        optimizer.step(closure=partial(self._learn_from, batch, optimizer, step))
        if self.average is not None:
            self.average.after_step(self.model, step)

    def _learn_from(self, batch: Batch, optimizer: Any, step: int) -> None:
        """The gradient of the batch's mean loss, part by part."""
        optimizer.zero_grad()
        parts = []
        for number, piece in enumerate(batch.pieces(self.pieces)):
            beat()
            self._seed(step, number)
            logits = self.team.whole(self(piece.images, piece.features), len(piece.labels))
            losses = self.losses(logits, piece)
            self.manual_backward(losses.sum() / len(batch.labels))
            parts.append((losses.detach(), logits.detach()))
        self.team.add([p.grad for p in self.model.parameters() if p.grad is not None])
        losses, logits = parts[0] if len(parts) == 1 else (torch.cat(of) for of in zip(*parts, strict=True))
        self._step = (step, losses, logits, batch.labels)

    def losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of each image (B,); a mixed one counts for the shares of both its labels."""
        losses: Tensor = self.loss(logits, batch.labels)
        if batch.mix is None:
            return losses
        others: Tensor = self.loss(logits, batch.mix.labels)
        return batch.mix.kept * losses + (1 - batch.mix.kept) * others

    def _seed(self, step: int, piece: int) -> None:
        """Make all randomness of a share of a part of a step a function of (seed, step, part, share)."""
        seed = self.settings.seed * _STEP_SEED + step + piece * _PIECE_SEED + self.team.rank * _SHARE_SEED
        seed %= 2**63
        # Not torch.manual_seed: without a GPU that keeps a traceback of every call for the day CUDA starts.
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradient, unscaled by now, and hand the step to the epoch's sums."""
        clip = self.settings.trainer.gradient_clip
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
        if clip is not None:
            clip_grads_with_norm_(parameters, clip, norm)
        # In 16 bits a gradient may overflow: the scaler then leaves the step out and lowers its scale.
        may_overflow = self.trainer.precision == "16-mixed"
        self.sums.add(*self._step, None if may_overflow else norm)

    def on_validation_epoch_start(self) -> None:
        """Forget the predictions of the epoch before, and bring the average up to this one."""
        self._logits, self._labels = [], []
        if self.average is not None:
            with self.trainer.precision_plugin.forward_context():
                self.average.after_epoch(self.model, self.current_epoch, self._shown())

    def _shown(self) -> Iterator[Inputs]:
        """The epoch's training images once more, in the parts that a step is computed in."""
        batches = self.trainer.train_dataloader
        assert isinstance(batches, TrainBatches)  # noqa: S101 - for the type checker
        for batch in batches.again():
            for piece in self.transfer_batch_to_device(batch, self.device, 0).pieces(self.pieces):
                yield self._inputs(piece.images, piece.features)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the logits of one batch; those of another process's batch are filled in at the end."""
        beat()
        if self.team.takes(batch_idx):
            logits = self(batch.images, batch.features).float()
        else:
            shape = (len(batch.labels), len(CLASSES))
            logits = torch.zeros(shape, dtype=torch.float32, device=self.device)
        self._logits.append(logits)
        self._labels.append(batch.labels)

    def on_validation_epoch_end(self) -> None:
        """Measure the epoch and tell the schedule.

        Raises:
            Diverged: a logit is not finite.
        """
        answers = torch.cat(self._logits)
        self.team.add([answers])
        logits = answers.cpu().numpy()
        labels: NDArray[np.int64] = torch.cat(self._labels).cpu().numpy()
        if not np.isfinite(logits).all():
            raise Diverged(f"validation logits are not finite after epoch {self.current_epoch + 1}")
        self.val_metrics = metrics.point(labels, logits)
        self.schedule.end_epoch(self.monitored())

    def monitored(self) -> float:
        """The value that selects the best epoch; an undefined one counts as the worst there is."""
        monitor = self.settings.trainer.monitor
        value = self.val_metrics[monitor.removeprefix("val/")]
        if math.isnan(value):
            return -math.inf if higher_is_better(monitor) else math.inf
        return value

    def answering_weights(self) -> dict[str, Tensor]:
        """The weights of `network` by the names that `adopt` takes."""
        return {f"model.{name}": value for name, value in self.network.state_dict().items()}

    def adopt(self, weights: dict[str, Tensor]) -> None:
        """Answer with these weights from here on; training is over."""
        self.average = None
        put(weights, self.model)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the sums of the epoch and the schedule's memory."""
        checkpoint["epoch_sums"] = self.sums.state()
        checkpoint["schedule"] = self.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take them back."""
        self.sums = EpochSums.of(checkpoint["epoch_sums"])
        self.schedule.load_state_dict(checkpoint["schedule"])
