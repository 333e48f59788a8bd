"""Grad-CAM against captum, against the formula written out, and on networks whose reasons are known."""

from typing import Any

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from ctexp.core.errors import DataError
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin
from ctexp.training.explaining.layers import Layer, last_map
from ctexp.training.explaining.maps import grad_cam


def network(name: str, side: int, **options: Any) -> nn.Module:
    torch.manual_seed(1)
    plain: dict[str, Any] = {"in_channels": 1, "image_size": side, "num_classes": 4, "dropout": 0.1}
    return build(name, WeightsOrigin("random"), **plain | options).eval()


def pictures(count: int, side: int) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(2))


def same(maps: Tensor, expected: Tensor) -> None:
    """Equal to a hundred-thousandth of the highest place."""
    assert expected.max() > 0
    torch.testing.assert_close(maps / expected.max(), expected / expected.max(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "layer"),
    [
        ("tiny_cnn", {}, "features"),
        ("tiny_cnn", {"attention": "cbam"}, "features"),
        ("resnet18", {}, "layer4"),
        ("resnet18", {"attention": "se"}, "layer4"),
        ("efficientnet_b0", {}, "bn2"),
        ("convnext_atto", {}, "norm_pre"),
    ],
)
def test_convolutional_networks_give_captum_s_maps(name: str, options: dict[str, Any], layer: str) -> None:
    model, images = network(name, 64, **options), pictures(3, 64)
    found = last_map(model, images[:1])
    classes = torch.tensor([0, 3, 1])
    expected = LayerGradCam(model, found.module).attribute(images, classes, relu_attributions=True)

    maps = grad_cam(model, found, images, None, classes)

    assert found.name == layer
    assert maps.shape[0] == 3
    assert maps.shape[1] == maps.shape[2] > 1
    same(maps, expected[:, 0].detach())


def test_the_image_pathway_of_two_is_asked_with_its_features() -> None:
    options: dict[str, Any] = {"fusion": "gated", "num_features": 5, "features_dropout": 0.2}
    model, images = network("tiny_cnn", 64, **options), pictures(2, 64)
    features, classes = torch.rand(2, 5), torch.tensor([2, 3])
    found = last_map(model, images[:1])
    gradcam = LayerGradCam(model, found.module)
    expected = gradcam.attribute(images, classes, additional_forward_args=(features,), relu_attributions=True)

    maps = grad_cam(model, found, images, features, classes)

    assert found.name == "backbone.features"
    same(maps, expected[:, 0].detach())
    assert not torch.allclose(maps, grad_cam(model, found, images, None, classes))


def test_transformers_give_the_formula_s_maps() -> None:
    """The weights of the channels by nudging all places' tokens at once, channel by channel."""
    prefix = 2  # a class token and one of distillation
    model = network("deit_tiny_distilled_patch16_224", 48).double()
    images = pictures(1, 48).double()
    layer = last_map(model, images)
    assert (layer.name, layer.prefix) == ("blocks.11.norm1", prefix)
    _, tokens = answer(model, layer, images, None)
    _, length, channels = tokens.shape
    nudge = torch.zeros(channels, length, channels, dtype=torch.float64)
    nudge[:, prefix:] = 1e-5 * torch.eye(channels, dtype=torch.float64)[:, None]
    many = images.expand(channels, -1, -1, -1)
    up, down = (answer(model, layer, many, step)[0][:, 2] for step in (nudge, -nudge))
    weights = (up - down) / 2e-5 / (length - prefix)
    expected = (tokens[0, prefix:] @ weights).relu().reshape(3, 3)

    (heat,) = grad_cam(model, layer, images, None, torch.tensor([2]))

    assert heat.max() > 0
    torch.testing.assert_close(heat.double(), expected, rtol=1e-4, atol=1e-9)


def answer(model: nn.Module, layer: Layer, images: Tensor, nudge: Tensor | None) -> tuple[Tensor, Tensor]:
    """Logits, and the layer's tokens, which are changed by `nudge` on their way."""
    kept: list[Tensor] = []

    def change(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        kept.append(output if nudge is None else output + nudge)
        return kept[0]

    hook = layer.module.register_forward_hook(change)
    with torch.no_grad():
        logits = model(images)
    hook.remove()
    return logits, kept[0]


class Brightness(nn.Module):
    """Answers class 1 by how bright the picture is, class 0 by how dark: the reasons are known."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(1, 2, kernel_size=8, stride=8, bias=False)
        nn.init.constant_(self.map.weight[:1], -1 / 64)
        nn.init.constant_(self.map.weight[1:], 1 / 64)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.map(images).relu().mean(dim=(2, 3))
        return found


def test_the_map_lies_where_the_reason_is() -> None:
    images = torch.zeros(1, 1, 64, 64)
    images[:, :, 8:24, 40:48] = 1
    model = Brightness()
    layer = last_map(model, images)

    (heat,) = grad_cam(model, layer, images, None, torch.tensor([1]))

    expected = torch.zeros(8, 8)
    expected[1:3, 5] = 1
    torch.testing.assert_close(heat / heat.max(), expected)
    assert not grad_cam(model, layer, images, None, torch.tensor([0])).any()


def test_the_network_is_left_as_it_was() -> None:
    model, images = network("tiny_cnn", 32), pictures(2, 32)
    with torch.no_grad():
        before = model(images)
        maps = grad_cam(model, last_map(model, images[:1]), images, None, torch.tensor([0, 1]))

    assert not maps.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())
    torch.testing.assert_close(model(images).detach(), before)


@pytest.mark.parametrize(("side", "layer"), [(16, "features.2"), (32, "features"), (48, "features")])
def test_a_map_of_one_place_is_no_map(side: int, layer: str) -> None:
    assert last_map(network("tiny_cnn", side), pictures(1, side)).name == layer


def test_maps_with_channels_last_are_turned() -> None:
    model, images = network("swin_tiny_patch4_window7_224", 224), pictures(1, 224)
    layer = last_map(model, images)

    assert layer.channels_last
    assert grad_cam(model, layer, images, None, torch.tensor([1])).shape == (1, 7, 7)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit3_small_patch16_224"])
def test_the_class_token_is_no_place(name: str) -> None:
    model, images = network(name, 48), pictures(1, 48)
    layer = last_map(model, images)
    heat = grad_cam(model, layer, images, None, torch.tensor([2]))

    assert (layer.name, layer.prefix) == ("blocks.11.norm1", 1)
    assert heat.shape == (1, 3, 3)


def test_a_network_without_places_is_refused() -> None:
    with pytest.raises(DataError, match="no layer has a map of places"):
        last_map(nn.Sequential(nn.Flatten(), nn.Linear(16, 4)), torch.zeros(1, 1, 4, 4))
