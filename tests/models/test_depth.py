"""Stages are counted from the image to the answer, in every network."""

import pytest
import torch
from torch import nn

from ctexp.models.depth import Depth
from tests.models.test_build import made

# The last stage's number, which is the head's.
HEADS = {
    "tiny_cnn": 4,
    "resnet10t": 5,
    "efficientnet_b0": 8,
    "convnext_atto": 5,
    "vit_tiny_patch16_224": 13,
    "deit_tiny_patch16_224": 13,
    "densenet121": 5,
    "regnety_002": 5,
}


def order_of_use(model: nn.Module) -> list[str]:
    """The parameters of the modules in the order in which an image meets these."""
    met: list[str] = []
    hooks = []
    for name, module in model.named_modules():
        own = [f"{name}.{key}" for key, _ in module.named_parameters(recurse=False)]
        if own and not any(True for _ in module.children()):
            hooks.append(module.register_forward_hook(lambda *_, own=own: met.extend(own)))
    model.eval()(torch.zeros(1, 1, 32, 32))
    for hook in hooks:
        hook.remove()
    return met


@pytest.mark.parametrize(
    ("name", "attention"),
    [
        *((name, "none") for name in HEADS),
        ("tiny_cnn", "se"),
        ("efficientnet_b0", "cbam"),
        ("regnety_002", "se"),
    ],
)
def test_stages_follow_the_image_through_the_network(name: str, attention: str) -> None:
    model = made(name, attention=attention)

    depth = Depth.of(model)

    assert depth.head == HEADS[name]
    assert depth.stages.keys() == dict(model.named_parameters()).keys()
    assert set(depth.stages.values()) == set(range(depth.head + 1))
    passed = [depth.stages[parameter] for parameter in order_of_use(model)]
    assert passed[0] == 0
    assert passed == sorted(passed)
    last = [name for name, stage in depth.stages.items() if stage == depth.head]
    assert any(model.get_parameter(key).shape == (4,) for key in last)


@pytest.mark.parametrize("name", ["tiny_cnn", "resnet10t", "convnext_atto", "vit_tiny_patch16_224"])
@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_a_second_pathway_is_head_and_leaves_the_first_as_deep_as_it_was(name: str, fusion: str) -> None:
    single, dual = Depth.of(made(name)), Depth.of(made(name, fusion=fusion, num_features=3))

    assert dual.head == single.head
    of_backbone = {key: stage for key, stage in dual.stages.items() if key.startswith("backbone.")}
    assert all(single.stages[key.removeprefix("backbone.")] == stage for key, stage in of_backbone.items())
    others = dual.stages.keys() - of_backbone.keys()
    assert {key.partition(".")[0] for key in others} == {"image", "measured", "fusion", "joint"}
    assert {dual.stages[key] for key in others} == {dual.head}


def test_a_network_that_does_not_tell_is_all_head() -> None:
    depth = Depth.of(nn.Linear(2, 2))

    assert not depth.is_known
    assert depth.stages == {"weight": 0, "bias": 0}
