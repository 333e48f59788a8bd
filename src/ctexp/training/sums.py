"""Loss and accuracy of an epoch, at no cost per step.

A step only hands over references; sums are made when somebody asks, and in the order of the steps, so that
they do not depend on how often that was. On a GPU asking waits for the GPU.
"""

import math

import torch
from torch import Tensor

from ctexp.core.errors import Diverged


class EpochSums:
    """The running sums of one epoch."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._correct = 0
        self._count = 0
        self._waiting: list[tuple[int, Tensor, Tensor, Tensor]] = []

    def add(self, step: int, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Hand over a step: its number, mean loss, logits (B, C) and labels (B,)."""
        self._waiting.append((step, loss.detach(), logits.detach(), labels))

    def check_last(self) -> None:
        """Look at the newest loss alone; on a CPU that costs a microsecond.

        Raises:
            Diverged: it is not finite.
        """
        step, loss, _, _ = self._waiting[-1]
        _refuse_unless_finite(step, loss.item())

    def settle(self) -> None:
        """Add what is waiting.

        Raises:
            Diverged: a loss is not finite; the first such step is named.
        """
        if not self._waiting:
            return
        steps, losses, logits, labels = zip(*self._waiting, strict=True)
        self._waiting.clear()
        for step, loss, batch in zip(steps, torch.stack(losses).tolist(), labels, strict=True):
            _refuse_unless_finite(step, loss)
            self._loss += loss * len(batch)
            self._count += len(batch)
        self._correct += int((torch.cat(logits).argmax(dim=1) == torch.cat(labels)).sum())

    def means(self) -> dict[str, float]:
        """Mean loss and accuracy over the images so far.

        Raises:
            Diverged: as for `settle`.
        """
        self.settle()
        return {"loss": self._loss / self._count, "accuracy": self._correct / self._count}

    def state(self) -> list[float]:
        """What a checkpoint has to keep.

        Raises:
            Diverged: as for `settle`.
        """
        self.settle()
        return [self._loss, self._correct, self._count]

    @classmethod
    def of(cls, state: list[float]) -> "EpochSums":
        """The sums that a checkpoint kept."""
        sums = cls()
        sums._loss, sums._correct, sums._count = state[0], int(state[1]), int(state[2])
        return sums


def _refuse_unless_finite(step: int, loss: float) -> None:
    if not math.isfinite(loss):
        raise Diverged(
            f"the training loss is not finite at step {step}",
            "lower optimizer.lr, set trainer.gradient_clip, or use trainer.precision=32",
        )
