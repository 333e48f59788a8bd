"""Attention between the stages of a convolutional network: what a stage found is weighed before it goes on.

Every gate is twice a sigmoid whose last weights begin at zero, so it begins at exactly one: a pretrained
network with new attention first answers as it did without, and learns from there. A plain sigmoid would begin
by halving every stage, and CBAM by quartering it, which pretrained later stages have never seen.
"""

from functools import partial
from typing import Literal

from timm.layers.cbam import CbamModule
from timm.layers.squeeze_excite import SEModule
from torch import Tensor, nn

from ctexp.core.errors import UsageError
from ctexp.models.depth import Depth
from ctexp.models.probe import answer

_KINDS = {
    "se": (SEModule, ("fc2.weight", "fc2.bias")),
    "cbam": (CbamModule, ("channel.fc2.weight", "spatial.conv.bn.weight")),
}
"""The layer, and the weights before its gates."""

_DIVISOR = 8  # of the hidden channels: a narrow stage keeps eight of them, not one that may die


class Gate(nn.Module):
    """2·sigmoid(x), from 0 to 2 and 1 at 0; the gain of two is that of Brock et al. (2021)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Factors of the shape of `inputs`."""
        return 2 * inputs.sigmoid()


class Attended(nn.Module):
    """A stage, and the attention to what it found.

    Args:
        stage: from (B, ..., ...) of the network's own shapes to (B, C, H, W).
        attention: weighs (B, C, H, W).
    """

    def __init__(self, stage: nn.Module, attention: nn.Module) -> None:
        super().__init__()
        self.stage = stage
        self.attention = attention

    def forward(self, inputs: Tensor) -> Tensor:
        """What the stage found, weighed (B, C, H, W)."""
        weighed: Tensor = self.attention(self.stage(inputs))
        return weighed


def attend(model: nn.Module, kind: Literal["se", "cbam"], name: str, probe: Tensor) -> None:
    """Put attention after every stage of a network, in place; its weights and its answers stay as they are.

    Squeeze-and-excitation (Hu et al. 2018) weighs channels; CBAM (Woo et al. 2018) channels, then places. A
    stage ends where the network halves the picture next, as timm's `feature_info` tells; the stem is none.

    Args:
        model: from images to anything, with `feature_info` and, where it has a stem, `group_matcher`.
        kind: which attention.
        name: what to call the network in an error.
        probe: images (B, C, H, W) that it takes.

    Raises:
        UsageError: it has no stages of convolutions.
    """
    stages = _stages(model, name, probe)
    if not stages:
        raise UsageError(
            f"model.attention={kind}: {name} has no stages of convolutions that it could follow",
            "use model.attention=none, or a network such as resnet18",
        )
    for module, channels in stages.items():
        model.set_submodule(module, Attended(model.get_submodule(module), _attention(kind, channels)))


def _attention(kind: Literal["se", "cbam"], channels: int) -> nn.Module:
    made, last = _KINDS[kind]
    attention: nn.Module = made(channels, rd_divisor=_DIVISOR, gate_layer=Gate)
    for parameter in last:
        nn.init.zeros_(attention.get_parameter(parameter))
    return attention


def _stages(model: nn.Module, name: str, probe: Tensor) -> dict[str, int]:
    """The modules that end a stage in maps of so many channels, by trial."""
    told: dict[str, int] = {entry["module"]: entry["num_chs"] for entry in getattr(model, "feature_info", [])}
    found: dict[str, tuple[int, ...]] = {}
    hooks = [
        model.get_submodule(module).register_forward_hook(partial(_note, found, module)) for module in told
    ]
    try:
        answer(model, name, probe)
    finally:
        for hook in hooks:
            hook.remove()
    stem = Depth.of(model).stem
    return {
        module: channels
        for module, channels in told.items()
        if _is_map(found.get(module, ()), channels)
        and not _lies_in(model.get_submodule(module), module, stem)
    }


def _note(
    found: dict[str, tuple[int, ...]], name: str, _module: nn.Module, _inputs: object, output: object
) -> None:
    if isinstance(output, Tensor):
        found[name] = tuple(output.shape)


def _is_map(shape: tuple[int, ...], channels: int) -> bool:
    # Square images make square maps; those of transformers have their channels last.
    return len(shape) == 4 and shape[1] == channels and shape[2] == shape[3]


def _lies_in(module: nn.Module, name: str, stem: frozenset[str]) -> bool:
    """Whether a module is part of the stem: of its parameters, or an activation without any behind it."""
    return all(f"{name}.{parameter}" in stem for parameter, _ in module.named_parameters())
