"""From a name to a network: our own table first, then every architecture timm knows."""

from typing import Any, Literal

import timm
import torch
from timm.layers.drop import DropPath
from torch import nn

from ctexp.core.errors import PreflightError, UsageError
from ctexp.models.attention import attend
from ctexp.models.dual_pathway import DualPathway
from ctexp.models.probe import answer
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
    stochastic_depth: float = 0.0,
    attention: Literal["none", "se", "cbam"] = "none",
    fusion: Literal["none", "concat", "gated"] = "none",
    num_features: int = 0,
    features_dropout: float = 0.0,
) -> nn.Module:
    """Make the network and load its first weights.

    Args:
        name: `tiny_cnn`, or any architecture of timm.
        origin: where the weights come from, already resolved and hashed.
        in_channels: channels of the input; pretrained three-channel stems are summed to one, which answers to
            a grey image as the three did to its repetition.
        image_size: side of the square input, pixels; transformers fix their position table by it.
        num_classes: logits to return.
        dropout: probability of dropping a feature before the last layer.
        stochastic_depth: probability of leaving out the last residual branch while training; it rises from 0
            at the first (Huang et al. 2016).
        attention: what follows each stage of convolutions, see `attend`; it is put there after the weights.
        fusion: how measured features stand beside the image; none makes a single pathway.
        num_features: how many of them.
        features_dropout: probability of withholding an image's features while training.

    Returns:
        A module from images (B, in_channels, image_size, image_size) to logits (B, num_classes); with two
        pathways it takes features (B, num_features) as well.

    Raises:
        PreflightError: the weights file does not fit the architecture.
        UsageError: the architecture cannot take these settings.
    """
    classes, drop_rate = (num_classes, dropout) if fusion == "none" else (0, 0.0)
    if name == "tiny_cnn":
        network: nn.Module = TinyCnn(in_channels, classes, drop_rate)
    else:
        options: dict[str, Any] = {"in_chans": in_channels, "num_classes": classes, "drop_rate": drop_rate}
        if stochastic_depth:
            options["drop_path_rate"] = stochastic_depth
        network = _of_timm(name, origin, image_size, options)
    images = torch.zeros(1, in_channels, image_size, image_size)
    if attention != "none":
        attend(network, attention, name, images)
    if fusion == "none":
        return network
    return DualPathway(
        network,
        answer(network, name, images).shape[1],  # timm's `num_features` passes over some layers
        num_features,
        num_classes,
        fusion=fusion,
        dropout=dropout,
        features_dropout=features_dropout,
    )


def _of_timm(name: str, origin: WeightsOrigin, image_size: int, options: dict[str, Any]) -> nn.Module:
    published = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if published is not None and published.fixed_input_size:
        options["img_size"] = image_size
    overlay = {"file": str(origin.path)} if origin.path is not None else None
    try:
        model: nn.Module = timm.create_model(
            name, pretrained=origin.path is not None, pretrained_cfg_overlay=overlay, **options
        )
    except TypeError as error:
        if "drop_path_rate" in str(error):
            raise _no_branches(name) from error
        raise UsageError(f"model.name={name}: cannot be built with these settings ({error})") from error
    except Exception as error:
        if origin.path is None:
            raise
        # A damaged file fails in as many ways as there are readers; all of them mean the same here.
        raise PreflightError(
            f"{origin.source}: does not fit {name} ({type(error).__name__}: {_first_line(error)})",
            "name a weights file of this very architecture, or set model.pretrained=false",
        ) from error
    _refuse_uneven_patches(model, name, image_size)
    # Some take the option and do nothing with it.
    if "drop_path_rate" in options and not any(isinstance(part, DropPath) for part in model.modules()):
        raise _no_branches(name)
    return model


def _refuse_uneven_patches(model: nn.Module, name: str, image_size: int) -> None:
    """A transformer would leave out the pixels that fill no patch, and say nothing."""
    patch = getattr(getattr(model, "patch_embed", None), "patch_size", (1,))
    if any(image_size % side for side in patch):
        raise UsageError(
            f"data.image_size={image_size} does not divide into the {patch[0]} pixel patches of {name}",
            f"use data.image_size={max(1, round(image_size / patch[0])) * patch[0]}",
        )


def _no_branches(name: str) -> UsageError:
    return UsageError(
        f"model.stochastic_depth: {name} has no residual branches to leave out",
        "use model.stochastic_depth=0",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def parameter_count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
