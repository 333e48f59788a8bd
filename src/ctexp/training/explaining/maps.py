"""Grad-CAM: which places speak for a class (Selvaraju et al. 2017).

The last map of places A (C, h, w) is summed over its channels, each weighed by the mean over places of the
gradient of the class's logit; what speaks against the class is cut off:

    map = relu(sum over c of A_c * mean over places of d logit / d A_c)
"""

import torch
from torch import Tensor, nn

from ctexp.training.explaining.layers import Layer


def grad_cam(
    network: nn.Module, layer: Layer, images: Tensor, features: Tensor | None, classes: Tensor
) -> Tensor:
    """The map of each image, (B, h, w), not negative; all zero where no place speaks for the class.

    Args:
        network: in evaluation mode, from images and features to logits (B, K).
        layer: of it, whose output has h x w places.
        images: as the network takes them, B of them.
        features: (B, k), or None.
        classes: whose logit is explained, int64 (B,).
    """
    kept: list[Tensor] = []
    hook = layer.module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    try:
        with torch.enable_grad():
            logits = network(images) if features is None else network(images, features)
            chosen = logits.gather(1, classes[:, None]).sum()
            (gradient,) = torch.autograd.grad(chosen, kept[-1])
    finally:
        hook.remove()
    weights = layer.grid(gradient).mean(dim=(2, 3), keepdim=True)
    return (weights * layer.grid(kept[-1].detach())).sum(dim=1).relu().float()
