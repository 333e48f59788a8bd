"""A trained network on its own: what a run directory alone is enough to open.

Training needs the data set it began with; a finished network needs its checkpoint, its configuration and the
numbers by which its features were standardised, all of which the run keeps.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ctexp.config.compose import load as load_settings
from ctexp.config.schema import Settings
from ctexp.core.errors import DataError
from ctexp.models.weights import WeightsOrigin
from ctexp.record.checkpoint_files import BEST, read_sums
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.training.judging.predict import views
from ctexp.training.kernel.checkpoints import load_weights
from ctexp.training.kernel.network import build_network, put, standardised


class Network(nn.Module):
    """The network with its best weights, from images as they are cached to logits.

    Args:
        model: from what `standardised` makes to logits.
        settings: it was trained with.
    """

    def __init__(self, model: nn.Module, settings: Settings) -> None:
        super().__init__()
        self.model = model
        self.settings = settings

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, 4) of images uint8 (B, 1, H, W) and, for networks that take them, features (B, k)."""
        inputs = standardised(images, self.settings)
        logits: Tensor = self.model(inputs) if features is None else self.model(inputs, features)
        return logits

    def answer(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """The same, float32, as means over the views that `inference.tta` asks for."""
        seen = [self(view, features).float() for view in views(images, self.settings.inference.tta)]
        return torch.stack(seen).mean(dim=0)


@dataclass(frozen=True)
class Trained:
    """A run's network, opened.

    Attributes:
        checkpoint_sha256: of the weights.
        network: in evaluation mode, on its device.
    """

    run: RunDir
    manifest: Manifest
    settings: Settings
    checkpoint_sha256: str
    network: Network


def open_network(run: RunDir, device: torch.device) -> Trained:
    """Open the best weights of a run.

    Raises:
        DataError: the record or the checkpoint is missing or damaged, or was pruned.
    """
    reading = run.read()
    if reading.manifest is None:
        raise DataError(reading.problems, "a run without a whole manifest cannot be opened")
    manifest = reading.manifest
    settings = load_settings(run.config, manifest.config_sha256)
    model = without_weights(settings, manifest)
    put(load_weights(run.checkpoints / BEST), model)
    if device.type == "cuda" and settings.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    network = Network(model, settings).eval().to(device)
    return Trained(run, manifest, settings, read_sums(run.checkpoints)[BEST], network)


def without_weights(settings: Settings, manifest: Manifest) -> nn.Module:
    """The architecture that a run trained, with random weights."""
    features: dict[str, Any] = dict(manifest.features or {})
    return build_network(settings, WeightsOrigin("random"), len(features.get("columns", ())))
