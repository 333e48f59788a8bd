"""Optimizers from settings."""

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from ctexp.config.schema import AdamWSettings, OptimizerSettings


def build_optimizer(settings: OptimizerSettings, model: nn.Module) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019) or SGD over the trainable parameters.

    Biases and normalisation parameters, all those of one dimension, are not decayed: shrinking them towards
    zero regularises nothing.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if isinstance(settings, AdamWSettings):
        return AdamW(groups, lr=settings.lr, betas=(settings.beta1, settings.beta2))
    return SGD(groups, lr=settings.lr, momentum=settings.momentum, nesterov=settings.nesterov)
