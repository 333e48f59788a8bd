"""How weights are learned: loss, optimizer, schedule, averaging. Each is one of several, told by its name."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ctexp.config.schema.base import BelowOne, Fraction, NotNegative, Positive, Strict


class CrossEntropySettings(Strict):
    """Cross-entropy."""

    name: Literal["cross_entropy"]
    label_smoothing: BelowOne
    class_weights: Literal["none", "balanced"]


class FocalSettings(Strict):
    """Focal loss (Lin et al. 2017): easy images count for less."""

    name: Literal["focal"]
    gamma: NotNegative
    class_weights: Literal["none", "balanced"]


class ClassBalancedSettings(Strict):
    """Cross-entropy weighted by the effective number of images (Cui et al. 2019)."""

    name: Literal["class_balanced"]
    beta: BelowOne
    label_smoothing: BelowOne


class BalancedSoftmaxSettings(Strict):
    """Cross-entropy of logits shifted by the classes' frequencies (Ren et al. 2020)."""

    name: Literal["balanced_softmax"]
    label_smoothing: BelowOne


class PairwiseConfusionSettings(Strict):
    """Cross-entropy, and a penalty on confident differences between images (Dubey et al. 2018)."""

    name: Literal["pairwise_confusion"]
    confusion: Positive
    label_smoothing: BelowOne


LossSettings = Annotated[
    CrossEntropySettings
    | FocalSettings
    | ClassBalancedSettings
    | BalancedSoftmaxSettings
    | PairwiseConfusionSettings,
    Field(discriminator="name"),
]


class AdamWSettings(Strict):
    """AdamW (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"]
    lr: Positive
    weight_decay: NotNegative
    beta1: BelowOne
    beta2: BelowOne


class SgdSettings(Strict):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"]
    lr: Positive
    weight_decay: NotNegative
    momentum: BelowOne
    nesterov: bool

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("optimizer.nesterov: needs optimizer.momentum above 0")
        return self


class LionSettings(Strict):
    """Lion (Chen et al. 2023): the sign of the momentum."""

    name: Literal["lion"]
    lr: Positive
    weight_decay: NotNegative
    beta1: BelowOne
    beta2: BelowOne


OptimizerSettings = Annotated[AdamWSettings | SgdSettings | LionSettings, Field(discriminator="name")]


class CosineSettings(Strict):
    """Cosine decay to `min_lr_ratio` of the learning rate."""

    name: Literal["cosine"]
    warmup_epochs: NotNegative
    min_lr_ratio: Fraction


class OneCycleSettings(Strict):
    """Up to the learning rate and down to nearly nothing, in one cycle (Smith and Topin 2018)."""

    name: Literal["one_cycle"]
    rise: Annotated[float, Field(gt=0, lt=1)]
    start_ratio: Fraction
    end_ratio: Fraction


class StepSettings(Strict):
    """Times `gamma` every `step_epochs` epochs."""

    name: Literal["step"]
    warmup_epochs: NotNegative
    step_epochs: Annotated[int, Field(ge=1)]
    gamma: Annotated[float, Field(gt=0, le=1)]


class PlateauSettings(Strict):
    """Times `factor` when the monitored metric has not improved for more than `patience` epochs."""

    name: Literal["plateau"]
    warmup_epochs: NotNegative
    patience: Annotated[int, Field(ge=0)]
    factor: Annotated[float, Field(gt=0, lt=1)]


class ConstantSettings(Strict):
    """One learning rate after the warm-up."""

    name: Literal["constant"]
    warmup_epochs: NotNegative


SchedulerSettings = Annotated[
    CosineSettings | OneCycleSettings | StepSettings | PlateauSettings | ConstantSettings,
    Field(discriminator="name"),
]


class NoAveragingSettings(Strict):
    """The weights as they are."""

    name: Literal["none"]


class EmaSettings(Strict):
    """An exponential moving average of the weights, after every step."""

    name: Literal["ema"]
    decay: BelowOne


class SwaSettings(Strict):
    """Stochastic weight averaging (Izmailov et al. 2018): the mean of late epochs' weights."""

    name: Literal["swa"]
    start: Annotated[float, Field(gt=0, lt=1)]
    lr_ratio: Annotated[float, Field(gt=0, le=1)]

    def first_epoch(self, max_epochs: int) -> int:
        """The first epoch, counted from 0, that is averaged; there always is one."""
        return math.floor(round(self.start * max_epochs, 9))


AveragingSettings = Annotated[NoAveragingSettings | EmaSettings | SwaSettings, Field(discriminator="name")]
