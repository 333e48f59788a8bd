"""Which parts of a network learn at which step, and how fast.

Both follow from the depth of each parameter (`models/depth.py`) and the number of the step alone, so a
resumed training needs to remember nothing. A stage that does not learn yet is frozen in every sense: its
parameters get no gradient, and therefore neither decay nor an optimizer's memory, and its modules are in
evaluation mode, so that batch normalisation keeps the statistics it came with, and its dropout and stochastic
depth are off.
"""

import math

from torch import nn

from ctexp.config.schema.network import FinetuneSettings
from ctexp.core.errors import UsageError
from ctexp.models.depth import Depth

AFTER_ALL_STEPS = 2**31
"""By then everything learns that will ever learn."""


class Finetuning:
    """Freezes and unfreezes the stages of a network as functions of the step.

    The head learns from the first step to the last, and a stage that has begun goes on learning.

    Raises:
        UsageError: the network does not tell its stages, and they are asked for.
    """

    def __init__(self, model: nn.Module, settings: FinetuneSettings, steps_per_epoch: int) -> None:
        self.model = model
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch
        self._depth = Depth.of(model)
        apart = (
            settings.head_epochs
            or settings.stage_epochs
            or settings.frozen_stages
            or settings.layer_decay < 1
        )
        if apart and not self._depth.is_known:
            raise UsageError(
                f"finetune: {type(model).__name__} does not tell its stages from its head: neither can wait",
                "use finetune=full",
            )
        self._begins = [self._begin(stage) for stage in range(self._depth.head + 1)]
        self._learnable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        self._first: int | None = None
        self._frozen: list[nn.Module] = []

    def _begin(self, stage: int) -> float:
        """The first optimizer step at which a stage learns; infinite for never."""
        settings, head = self._settings, self._depth.head
        if stage == head:
            return 0
        if stage < settings.frozen_stages:
            return math.inf
        epochs = settings.head_epochs + (head - 1 - stage) * settings.stage_epochs
        return round(epochs * self._steps_per_epoch)

    def rates(self) -> dict[str, float]:
        """By the parameter's name, the share of the learning rate that it learns at (Bao et al. 2022)."""
        decay, head = self._settings.layer_decay, self._depth.head
        return {name: decay ** (head - stage) for name, stage in self._depth.stages.items()}

    def apply(self, step: int) -> None:
        """Let learn what learns at optimizer step `step`, counted from 0, of a network in training mode."""
        first = next(stage for stage, begin in enumerate(self._begins) if begin <= step)
        if first != self._first:
            self._freeze_before(first)
        # Lightning sets modes at moments of its own, so the frozen are looked at in every step.
        for module in self._frozen:
            if module.training:
                module.training = False

    def _freeze_before(self, first: int) -> None:
        """Let stage `first` and all after it learn, and no other."""
        self._first = first
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = name in self._learnable and self._depth.stages[name] >= first
        for module in self._frozen:
            module.training = True
        still = [module for module in self.model.modules() if _is_frozen(module)]
        self._frozen = list({part: None for module in still for part in module.modules()})


def _is_frozen(module: nn.Module) -> bool:
    """Whether a module has parameters and none of them learns."""
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
