"""Where in a network the last map of places is: the layer that Grad-CAM asks.

In a convolutional network that is the last output with rows and columns, found by trial. In a vision
transformer every block's output is a list of tokens, one a place, and behind the last block a class token may
be all that is read: so the tokens are taken as they enter the last block, normalised, from where all of them
still reach the answer.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ctexp.core.errors import DataError


@dataclass(frozen=True)
class Layer:
    """A layer whose output is a map.

    Attributes:
        name: in the network.
        prefix: tokens before those of places; None where the output has rows and columns.
        channels_last: whether rows and columns come before the channels.
    """

    name: str
    module: nn.Module
    prefix: int | None = None
    channels_last: bool = False

    def grid(self, output: Tensor) -> Tensor:
        """An output of the layer as a map (B, C, h, w)."""
        if self.prefix is not None:
            batch, tokens, channels = output[:, self.prefix :].shape
            side = math.isqrt(tokens)
            return output[:, self.prefix :].transpose(1, 2).reshape(batch, channels, side, side)
        return output.permute(0, 3, 1, 2) if self.channels_last else output


def last_map(model: nn.Module, images: Tensor) -> Layer:
    """The layer to ask.

    Args:
        model: in evaluation mode.
        images: what it takes, (B, C, S, S), one is enough.

    Raises:
        DataError: none of its outputs is a map of more than one place.
    """
    found = _of_transformer(model) or _by_trial(model, images)
    if found is None:
        raise DataError(f"{type(model).__name__}: no layer has a map of places to explain answers by")
    return found


def _of_transformer(model: nn.Module) -> Layer | None:
    for name, part in model.named_modules():
        blocks, prefix = getattr(part, "blocks", None), getattr(part, "num_prefix_tokens", None)
        if not isinstance(blocks, nn.Sequential | nn.ModuleList) or not isinstance(prefix, int):
            continue
        norm = getattr(blocks[-1], "norm1", None)
        if isinstance(norm, nn.Module):
            place = f"blocks.{len(blocks) - 1}.norm1"
            return Layer(f"{name}.{place}" if name else place, norm, prefix)
    return None


def _by_trial(model: nn.Module, images: Tensor) -> Layer | None:
    """The last module to answer with a square map."""
    found: list[Layer] = []
    hooks = [
        module.register_forward_hook(partial(_note, found, name))
        for name, module in model.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found[-1] if found else None


def _note(found: list[Layer], name: str, module: nn.Module, _inputs: object, output: object) -> None:
    if not isinstance(output, Tensor) or output.ndim != 4:
        return
    _, one, two, three = output.shape
    if two == three > 1:
        found.append(Layer(name, module))
    elif one == two > 1:
        found.append(Layer(name, module, channels_last=True))
