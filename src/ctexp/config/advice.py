"""What is valid but pointless or unwise: said, not refused, for somebody may want just that."""

from collections.abc import Callable, Iterator

from ctexp.config.schema import Settings
from ctexp.config.schema.learning import (
    BalancedSoftmaxSettings,
    ClassBalancedSettings,
    CrossEntropySettings,
    FocalSettings,
    LionSettings,
    OneCycleSettings,
    PlateauSettings,
    StepSettings,
    SwaSettings,
)

_LION_LIMIT = 1e-3


def advice(settings: Settings) -> list[str]:
    """A line for each doubt about a configuration, the keys first; none for most."""
    return [line for rule in _RULES for line in rule(settings)]


def _balanced_twice(settings: Settings) -> Iterator[str]:
    """Either makes the classes count alike; both overdo it, and rare classes count for most."""
    if settings.sampler.name != "class_balanced":
        return
    loss = settings.loss
    key = f"loss={loss.name}"
    if isinstance(loss, CrossEntropySettings | FocalSettings):
        if loss.class_weights == "none":
            return
        key = f"loss.class_weights={loss.class_weights}"
    elif not isinstance(loss, BalancedSoftmaxSettings | ClassBalancedSettings):
        return
    yield f"sampler=class_balanced, {key}: both favour rare classes; together they overdo it, use one"


def _nothing_to_keep(settings: Settings) -> Iterator[str]:
    """Freezing and slowing down protect what pretraining has learned."""
    if settings.model.pretrained:
        return
    finetune = settings.finetune
    if finetune.frozen_stages:
        yield (
            f"finetune.frozen_stages={finetune.frozen_stages}: model.pretrained=false, "
            "so the frozen weights are random and stay so"
        )
    if finetune.head_epochs or finetune.stage_epochs or finetune.layer_decay < 1:
        yield (
            "finetune: held back or slowed down are weights worth keeping, but model.pretrained=false "
            "begins with random ones; use finetune=full"
        )


def _never_thawed(settings: Settings) -> Iterator[str]:
    """Stages whose turn to learn comes after the end."""
    head, epochs = settings.finetune.head_epochs, settings.trainer.max_epochs
    if head >= epochs:
        yield f"finetune.head_epochs={head:g}: trainer.max_epochs={epochs} ends before the backbone learns"


def _lion_too_fast(settings: Settings) -> Iterator[str]:
    """Its step has the size of the rate in every weight, whatever the gradient (Chen et al. 2023)."""
    optimizer = settings.optimizer
    if isinstance(optimizer, LionSettings) and optimizer.lr >= _LION_LIMIT:
        yield (
            f"optimizer.lr={optimizer.lr:g}: Lion moves every weight by all of it; "
            "its rates are a third to a tenth of AdamW's"
        )


def _never_lowered(settings: Settings) -> Iterator[str]:
    """Schedules that training ends before."""
    scheduler, trainer = settings.scheduler, settings.trainer
    if isinstance(scheduler, StepSettings) and scheduler.step_epochs >= trainer.max_epochs:
        yield (
            f"scheduler.step_epochs={scheduler.step_epochs}: the first step down comes with the end, "
            f"trainer.max_epochs={trainer.max_epochs}"
        )
    if not isinstance(scheduler, PlateauSettings):
        return
    early = trainer.early_stopping
    if early is not None and scheduler.patience + 2 > early.patience:
        yield (
            f"scheduler.patience={scheduler.patience}: trainer.early_stopping.patience={early.patience} "
            "ends training before a lower rate is used"
        )
    elif scheduler.patience + 3 > trainer.max_epochs:
        yield (
            f"scheduler.patience={scheduler.patience}: the rate is never lowered within "
            f"trainer.max_epochs={trainer.max_epochs}"
        )


def _ill_averaged(settings: Settings) -> Iterator[str]:
    """Stochastic weight averaging that has nothing to average, or comes too early."""
    averaging, trainer, scheduler = settings.averaging, settings.trainer, settings.scheduler
    if not isinstance(averaging, SwaSettings):
        return
    first = averaging.first_epoch(trainer.max_epochs)
    if trainer.max_epochs - first == 1:
        yield (
            f"averaging.start={averaging.start:g}: of trainer.max_epochs={trainer.max_epochs} only the last "
            "is left, and the mean of one epoch is that epoch"
        )
    if not isinstance(scheduler, OneCycleSettings) and scheduler.warmup_epochs > first:
        yield (
            f"scheduler.warmup_epochs={scheduler.warmup_epochs:g}: averaging=swa sets its own rate in epoch "
            f"{first + 1}, before the warm-up has ended"
        )


_RULES: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _balanced_twice,
    _nothing_to_keep,
    _never_thawed,
    _lion_too_fast,
    _never_lowered,
    _ill_averaged,
)
