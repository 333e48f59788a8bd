"""Attention between the stages: there from the beginning, and no hindrance to pretrained weights."""

import copy
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from ctexp.core.errors import UsageError
from ctexp.models.attention import Attended
from tests.models.test_build import made, published

Kind = Literal["se", "cbam"]
KINDS: tuple[Kind, ...] = ("se", "cbam")
NETWORKS = ("tiny_cnn", "resnet10t", "efficientnet_b0", "convnext_atto", "densenet121")


def attended(model: nn.Module) -> dict[str, Attended]:
    return {name: part for name, part in model.named_modules() if isinstance(part, Attended)}


def images() -> torch.Tensor:
    return torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["resnet10t", "efficientnet_b0"])
def test_pretrained_weights_answer_as_they_did(tmp_path: Path, name: str, kind: Kind) -> None:
    origin = published(name, tmp_path)
    plain, with_attention = (
        made(name, origin, attention=attention, num_classes=1000).eval() for attention in ("none", kind)
    )

    assert len(attended(with_attention)) >= 4
    assert torch.equal(plain(images()), with_attention(images()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_of_it_learns_within_two_steps(name: str, kind: Kind) -> None:
    torch.manual_seed(0)
    model = made(name, attention=kind).train()
    before = {key: value.detach().clone() for key, value in model.named_parameters() if ".attention." in key}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(model(images()), torch.arange(4)))
        optimizer.step()

    still = [key for key, value in before.items() if torch.equal(value, model.get_parameter(key))]
    assert before
    assert still == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_weighs_what_the_stages_found(kind: Kind) -> None:
    model = made("tiny_cnn", attention=kind).eval()
    before = model(images())
    gates = list(attended(model).values())
    assert [part.stage[0].out_channels for part in gates if isinstance(part.stage, nn.Sequential)] == [
        32,
        64,
        96,
    ]
    with torch.no_grad():
        for gate in gates:
            for name, weight in gate.attention.named_parameters():
                if name.startswith(("fc2", "channel.fc2", "spatial")):
                    weight.normal_()

    assert not torch.allclose(before, model(images()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_and_a_saved_state_answer_alike(kind: Kind) -> None:
    torch.manual_seed(0)
    model, other = made("resnet10t", attention=kind), made("resnet10t", attention=kind)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    clone = copy.deepcopy(model).eval()
    other.load_state_dict(model.state_dict())

    expected = model.eval()(images())
    assert torch.equal(expected, clone(images()))
    assert torch.equal(expected, other.eval()(images()))
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert torch.equal(expected, clone(images()))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "deit_tiny_patch16_224"])
def test_a_network_without_stages_of_convolutions_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(name, attention="se")

    assert caught.value.lines() == [
        f"UsageError: model.attention=se: {name} has no stages of convolutions that it could follow"
        " -> use model.attention=none, or a network such as resnet18"
    ]
