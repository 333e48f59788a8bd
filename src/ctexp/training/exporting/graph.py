"""A network that needs nothing beside it: from grey levels to calibrated probabilities."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ctexp.training.judging.network import Network
from ctexp.training.judging.predict import views


class Standalone(nn.Module):
    """Standardisation, the views of `inference.tta`, the network and its temperature in one.

    Args:
        network: in evaluation mode, on the CPU.
        temperature: what its logits are divided by; 1 where none belongs to its weights.
        features: what the run's manifest keeps of its features; None for a network of images alone.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: Network, temperature: float, features: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.limit = 0.0
        if features is not None:
            from ctexp.data.radiomics.inputs import LIMIT, scale  # with all that measures them: 1 s

            mean, std = (torch.tensor(features[name], dtype=torch.float64) for name in ("mean", "std"))
            self.limit = LIMIT
            self.register_buffer("mean", mean)
            self.register_buffer("scale", torch.from_numpy(scale(mean.numpy(), std.numpy())))

    def forward(self, images: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits and probabilities, float32 (B, 4).

        Args:
            images: grey levels, uint8 (B, 1, H, W).
            features: as they are measured, float64 (B, k), for a network that takes them.
        """
        if features is not None:
            standard = (features - self.mean) / self.scale
            features = standard.clamp(-self.limit, self.limit).float()
        # All views as one batch: one after the other, the file would hold the network once for each.
        seen = tuple(views(images, self.network.settings.inference.tta))
        beside = None if features is None else features.repeat(len(seen), 1)
        logits = self.network(torch.cat(seen), beside).float().unflatten(0, (len(seen), -1)).mean(dim=0)
        return logits, (logits.double() / self.temperature).softmax(dim=1).float()
