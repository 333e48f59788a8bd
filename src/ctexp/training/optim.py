"""Optimizers from settings."""

import torch
from timm.optim.lion import Lion
from torch.optim import SGD, AdamW, Optimizer

from ctexp.config.schema import AdamWSettings, LionSettings, Settings
from ctexp.training.finetune import Finetuning


def build_optimizer(settings: Settings, finetuning: Finetuning, device: torch.device) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019), Lion (Chen et al. 2023) or SGD over all parameters.

    Biases and normalisation parameters, all those of one dimension, are not decayed: shrinking them towards
    zero regularises nothing. Each group carries its `rate`, the share of the learning rate it learns at.
    """
    chosen = settings.optimizer
    rates = finetuning.rates()
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in finetuning.model.named_parameters():
        groups.setdefault((rates[name], parameter.ndim > 1), []).append(parameter)
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
