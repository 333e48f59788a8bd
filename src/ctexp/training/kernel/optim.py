"""Optimizers from settings."""

import torch
from timm.optim.lion import Lion
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from ctexp.config.schema import Settings
from ctexp.config.schema.learning import AdamWSettings, LionSettings
from ctexp.training.kernel.finetune import Finetuning


def build_optimizer(settings: Settings, finetuning: Finetuning, device: torch.device) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019), Lion (Chen et al. 2023) or SGD over all parameters.

    Biases and normalisation parameters are not decayed: shrinking them towards zero regularises nothing. Nor
    is what an architecture names itself, such as a table of positions. Each group carries its `rate`, the
    share of the learning rate it learns at. A parameter that is frozen has no gradient, and all of these
    optimizers pass over it, decay and memory included, until it has one.
    """
    chosen = settings.optimizer
    rates = finetuning.rates()
    undecayed = _undecayed(finetuning.model)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in finetuning.model.named_parameters():
        groups.setdefault((rates[name], name not in undecayed), []).append(parameter)
    described = [
        {"params": members, "rate": rate, "weight_decay": chosen.weight_decay if decayed else 0.0}
        for (rate, decayed), members in groups.items()
    ]
    # One kernel for all parameters; not in 16 bits, where the scaler must see gradients before it.
    fused = device.type == "cuda" and settings.trainer.precision != "16"
    if isinstance(chosen, AdamWSettings):
        return AdamW(described, lr=chosen.lr, betas=(chosen.beta1, chosen.beta2), fused=fused or None)
    if isinstance(chosen, LionSettings):
        return Lion(described, lr=chosen.lr, betas=(chosen.beta1, chosen.beta2))
    return SGD(
        described, lr=chosen.lr, momentum=chosen.momentum, nesterov=chosen.nesterov, fused=fused or None
    )


def _undecayed(model: nn.Module) -> set[str]:
    """The parameters without weight decay: those of one dimension, and those a network of timm names."""
    names = {name for name, parameter in model.named_parameters() if parameter.ndim <= 1}
    for place, module in model.named_modules():
        said: set[str] = set(getattr(module, "no_weight_decay", set)())
        names |= {f"{place}.{name}" if place else name for name in said}
    return names
