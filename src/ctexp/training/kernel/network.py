"""The network that a configuration asks for, and its inputs."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ctexp.config.schema import Settings
from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin


def build_network(settings: Settings, origin: WeightsOrigin, num_features: int) -> nn.Module:
    """The network, on the CPU, with its first weights.

    Args:
        settings: of the run.
        origin: where the weights come from.
        num_features: how many numbers stand beside each image; 0 for none.

    Raises:
        PreflightError: the weights do not fit the network.
        UsageError: the network cannot be built with these settings.
    """
    model = settings.model
    return build(
        model.name,
        origin,
        in_channels=model.in_channels,
        image_size=settings.data.image_size,
        num_classes=len(CLASSES),
        dropout=model.dropout,
        stochastic_depth=model.stochastic_depth,
        attention=model.attention,
        fusion=model.fusion,
        num_features=num_features,
        features_dropout=settings.features.dropout,
    )


def put(weights: Mapping[str, Tensor], network: nn.Module) -> None:
    """Give a network the weights of a checkpoint, whose names begin with `model.`.

    Raises:
        DataError: they are those of another network.
    """
    try:
        network.load_state_dict({name.removeprefix("model."): value for name, value in weights.items()})
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise DataError(f"the checkpoint holds another network ({said:.200})", "train anew") from error


def standardised(images: Tensor, settings: Settings) -> Tensor:
    """Images as a network takes them: float (B, C, H, W) of uint8 (B, 1, H, W), on the same device."""
    data = settings.data
    # (images / 255 - mean) / std, in the fewest passes over memory
    inputs = images.to(torch.get_default_dtype()).sub_(255 * data.mean).mul_(1 / (255 * data.std))
    if settings.model.in_channels > 1:
        inputs = inputs.expand(-1, settings.model.in_channels, -1, -1)
    if inputs.is_cuda and settings.trainer.channels_last:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return inputs
