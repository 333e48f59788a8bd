"""Which parts of a network learn at which step, and how fast."""

from torch import nn

from ctexp.config.schema import FinetuneSettings


class Finetuning:
    """Freezes and unfreezes the stages of a network as functions of the step.

    Args:
        model: the network.
        settings: how.
        steps_per_epoch: optimizer steps in an epoch.
    """

    def __init__(self, model: nn.Module, settings: FinetuneSettings, steps_per_epoch: int) -> None:
        self.model = model
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch

    def rates(self) -> dict[str, float]:
        """By the parameter's name, the share of the learning rate that it learns at."""
        return {name: 1.0 for name, _ in self.model.named_parameters()}

    def apply(self, step: int) -> None:
        """Let learn what learns at optimizer step `step`, counted from 0."""
