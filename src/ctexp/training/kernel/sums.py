"""Loss, accuracy and gradients of an epoch, at no cost per step.

A step only hands over references; sums are made when somebody asks, and in the order of the steps, so that
they do not depend on how often that was. On a GPU asking waits for the GPU.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ctexp.core.errors import Diverged


class _Step(NamedTuple):
    """What one optimizer step leaves behind, all still on the device."""

    number: int
    losses: Tensor
    logits: Tensor
    labels: Tensor
    gradient: Tensor | None


class EpochSums:
    """The running sums of one epoch."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._correct = 0
        self._count = 0
        self._gradient = 0.0
        self._largest = 0.0
        self._measured = 0
        self._waiting: list[_Step] = []

    def add(
        self, number: int, losses: Tensor, logits: Tensor, labels: Tensor, gradient: Tensor | None
    ) -> None:
        """Hand over a step.

        Args:
            number: of the optimizer step.
            losses: of each image, (B,).
            logits: (B, C).
            labels: (B,).
            gradient: the L2 norm of the step's gradient before clipping; None where it may overflow and the
                step be skipped, as in 16-bit precision.
        """
        self._waiting.append(_Step(number, losses.detach(), logits.detach(), labels, gradient))

    def check_last(self) -> None:
        """Look at the newest step alone; on a CPU that costs microseconds.

        Raises:
            Diverged: its loss or gradient is not finite.
        """
        step = self._waiting[-1]
        _refuse_unless_finite("loss", step.number, step.losses.sum().item())
        if step.gradient is not None:
            _refuse_unless_finite("gradient", step.number, step.gradient.item())

    def settle(self) -> None:
        """Add what is waiting.

        Raises:
            Diverged: a loss or gradient is not finite; the first such step is named.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        sums = torch.stack([step.losses.sum() for step in waiting]).tolist()
        norms = torch.stack(
            [torch.zeros_like(s.losses[0]) if s.gradient is None else s.gradient for s in waiting]
        )
        for step, loss, gradient in zip(waiting, sums, norms.tolist(), strict=True):
            _refuse_unless_finite("loss", step.number, loss)
            _refuse_unless_finite("gradient", step.number, gradient)
            self._loss += loss
            self._count += len(step.labels)
            if step.gradient is not None:
                self._gradient += gradient
                self._largest = max(self._largest, gradient)
                self._measured += 1
        logits, labels = (
            torch.cat(parts) for parts in ([s.logits for s in waiting], [s.labels for s in waiting])
        )
        self._correct += int((logits.argmax(dim=1) == labels).sum())

    def means(self) -> dict[str, float]:
        """Mean loss and accuracy over the images so far, mean and largest norm of the steps' gradients.

        A mixed image counts as right where its own label is found, though the other's share may be larger.
        The norms are NaN where no step told its own.

        Raises:
            Diverged: as for `settle`.
        """
        self.settle()
        return {
            "loss": self._loss / self._count,
            "accuracy": self._correct / self._count,
            "gradient_norm": self._gradient / self._measured if self._measured else math.nan,
            "gradient_norm_max": self._largest if self._measured else math.nan,
        }

    def state(self) -> list[float]:
        """What a checkpoint has to keep.

        Raises:
            Diverged: as for `settle`.
        """
        self.settle()
        return [self._loss, self._correct, self._count, self._gradient, self._largest, self._measured]

    @classmethod
    def of(cls, state: list[float]) -> "EpochSums":
        """The sums that a checkpoint kept."""
        sums = cls()
        sums._loss, sums._gradient, sums._largest = state[0], state[3], state[4]
        sums._correct, sums._count, sums._measured = int(state[1]), int(state[2]), int(state[5])
        return sums


def _refuse_unless_finite(what: str, step: int, value: float) -> None:
    if not math.isfinite(value):
        raise Diverged(f"the training {what} is not finite at step {step}")
