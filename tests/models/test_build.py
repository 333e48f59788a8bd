"""From a name to a network: stems for one channel and for three, and what some networks cannot be."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers.drop import DropPath
from torch import nn

from ctexp.core.errors import UsageError
from ctexp.core.files import sha256_file
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin

RANDOM = WeightsOrigin("random")

# One of each family that conf/model has, as small as timm has them, and its stem.
FAMILIES = {
    "resnet10t": "conv1.0.weight",
    "efficientnet_b0": "conv_stem.weight",
    "convnext_atto": "stem.0.weight",
    "vit_tiny_patch16_224": "patch_embed.proj.weight",
    "deit_tiny_patch16_224": "patch_embed.proj.weight",
}


def made(name: str, origin: WeightsOrigin = RANDOM, **options: Any) -> nn.Module:
    """A small network with four answers."""
    chosen = {"in_channels": 1, "image_size": 32, "num_classes": 4, "dropout": 0.0, **options}
    return build(name, origin, **chosen)


def published(name: str, folder: Path) -> WeightsOrigin:
    """Weights as a hub has them: three channels, a thousand classes, batch statistics of their own."""
    torch.manual_seed(0)
    network = timm.create_model(name)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None:
                layer.running_mean.normal_(std=0.1)
    file = folder / f"{name}.safetensors"
    save_file(network.state_dict(), file)
    return WeightsOrigin(f"file:{file}", sha256_file(file), file)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_channel_is_the_sum_of_the_three_and_answers_alike(tmp_path: Path, name: str) -> None:
    origin = published(name, tmp_path)
    grey, colour = (made(name, origin, in_channels=channels, num_classes=1000).eval() for channels in (1, 3))
    stem = timm.models.load_state_dict(str(origin.path))[FAMILIES[name]]

    torch.testing.assert_close(colour.get_parameter(FAMILIES[name]).detach(), stem)
    torch.testing.assert_close(
        grey.get_parameter(FAMILIES[name]).detach(), stem.sum(dim=1, keepdim=True), rtol=1e-5, atol=1e-6
    )
    # As the module standardises them: with one mean and deviation for all channels.
    images = (torch.rand(3, 1, 32, 32) - 0.449) / 0.226
    with torch.no_grad():
        torch.testing.assert_close(grey(images), colour(images.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)


def test_the_tiny_network_takes_three_channels() -> None:
    assert made("tiny_cnn", in_channels=3)(torch.zeros(1, 3, 32, 32)).shape == (1, 4)


@pytest.mark.parametrize("name", FAMILIES)
def test_stochastic_depth_rises_to_what_was_asked_for(name: str) -> None:
    branches = [
        part.drop_prob for part in made(name, stochastic_depth=0.3).modules() if isinstance(part, DropPath)
    ]

    assert branches == sorted(branches)
    assert branches[-1] == pytest.approx(0.3, abs=0.07)  # EfficientNet's own rule ends one block early
    assert not any(isinstance(part, DropPath) for part in made(name).modules())


def test_stochastic_depth_leaves_branches_out_in_training_alone() -> None:
    torch.manual_seed(0)
    network, images = made("convnext_atto", stochastic_depth=0.9), torch.randn(2, 1, 32, 32)
    # What timm starts the branches at would drown in rounding.
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("gamma"):
                parameter.fill_(1.0)

    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))


@pytest.mark.parametrize("name", ["vgg11", "densenet121", "inception_v3"])
def test_a_network_without_branches_is_refused_stochastic_depth(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(name, stochastic_depth=0.1)

    assert caught.value.lines() == [
        f"UsageError: model.stochastic_depth: {name} has no residual branches to leave out"
        " -> use model.stochastic_depth=0"
    ]


def test_a_transformer_is_refused_images_that_its_patches_do_not_fill() -> None:
    with pytest.raises(UsageError, match="does not divide into the 16 pixel patches") as caught:
        made("vit_tiny_patch16_224", image_size=50)

    assert caught.value.hint == "use data.image_size=48"
    assert made("vit_tiny_patch16_224", image_size=48)(torch.zeros(1, 1, 48, 48)).shape == (1, 4)
