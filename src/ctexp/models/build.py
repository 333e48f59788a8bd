"""From a name to a network: our own table first, then every architecture timm knows."""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from ctexp.core.errors import PreflightError, UsageError
from ctexp.models.dual_pathway import DualPathway
from ctexp.models.tiny_cnn import TinyCnn
from ctexp.models.weights import WeightsOrigin


def build(
    name: str,
    origin: WeightsOrigin,
    *,
    in_channels: int,
    image_size: int,
    num_classes: int,
    dropout: float,
    num_features: int = 0,
) -> nn.Module:
    """Make the network and load its first weights.

    Args:
        name: `tiny_cnn`, or any architecture of timm.
        origin: where the weights come from, already resolved and hashed.
        in_channels: channels of the input; pretrained three-channel stems are summed to one.
        image_size: side of the square input, pixels; transformers fix their position table by it.
        num_classes: logits to return.
        dropout: probability of dropping a feature before the last layer.
        num_features: columns of measured features beside the image; none makes a single pathway.

    Returns:
        A module from images (B, in_channels, image_size, image_size) to logits (B, num_classes); with two
        pathways it takes features (B, num_features) as well.

    Raises:
        PreflightError: the weights file does not fit the architecture.
        UsageError: the architecture cannot take these settings.
    """
    if num_features:
        backbone = build(
            name,
            origin,
            in_channels=in_channels,
            image_size=image_size,
            num_classes=0,
            dropout=0.0,
        )
        return DualPathway(
            backbone, _pooled(backbone, in_channels, image_size), num_features, num_classes, dropout
        )
    if name == "tiny_cnn":
        return TinyCnn(in_channels, num_classes, dropout)
    published = timm.get_pretrained_cfg(name, allow_unregistered=True)
    sized: dict[str, Any] = (
        {"img_size": image_size} if published is not None and published.fixed_input_size else {}
    )
    overlay = {"file": str(origin.path)} if origin.path is not None else None
    try:
        model: nn.Module = timm.create_model(
            name,
            pretrained=origin.path is not None,
            pretrained_cfg_overlay=overlay,
            num_classes=num_classes,
            in_chans=in_channels,
            drop_rate=dropout,
            **sized,
        )
    except TypeError as error:
        raise UsageError(f"model.name={name}: cannot be built with these settings ({error})") from error
    except Exception as error:
        if origin.path is None:
            raise
        # A damaged file fails in as many ways as there are readers; all of them mean the same here.
        raise PreflightError(
            f"{origin.source}: does not fit {name} ({type(error).__name__}: {_first_line(error)})",
            "name a weights file of this very architecture, or set model.pretrained=false",
        ) from error
    return model


def _pooled(backbone: nn.Module, in_channels: int, image_size: int) -> int:
    """How many features a backbone gives, asked of itself: timm's `num_features` passes over some layers."""
    training = backbone.training
    with torch.no_grad():
        features: Tensor = backbone.eval()(torch.zeros(1, in_channels, image_size, image_size))
    backbone.train(training)
    return features.shape[1]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def parameter_count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
