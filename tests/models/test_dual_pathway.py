"""Two pathways: both inputs count, and the image alone is enough for an answer."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ctexp.models.dual_pathway import DualPathway, GatedFusion
from ctexp.models.weights import WeightsOrigin
from tests.models.test_build import RANDOM, made, published

FUSIONS = ("concat", "gated")
IMAGES = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(1))
FEATURES = torch.randn(3, 6, generator=torch.Generator().manual_seed(2))


def dual(
    name: str = "tiny_cnn",
    fusion: str = "concat",
    origin: WeightsOrigin = RANDOM,
    withheld: float = 0.0,
) -> DualPathway:
    torch.manual_seed(0)
    model = made(name, origin, fusion=fusion, num_features=6, features_dropout=withheld)
    assert isinstance(model, DualPathway)
    return model.eval()


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("name", ["tiny_cnn", "resnet10t", "convnext_atto", "mobilenetv3_small_050"])
def test_both_inputs_change_the_answer_and_learn(name: str, fusion: str) -> None:
    model = dual(name, fusion).train()

    logits = model(IMAGES, FEATURES)

    assert logits.shape == (3, 4)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    before = model(IMAGES, FEATURES)
    assert not torch.equal(before, model(IMAGES.flip(0), FEATURES))
    assert not torch.equal(before, model(IMAGES, FEATURES + 1))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_missing_features_are_average_ones(fusion: str) -> None:
    model = dual(fusion=fusion)
    average = model(IMAGES, torch.zeros(3, 6))

    assert torch.equal(model(IMAGES), average)
    assert torch.equal(model(IMAGES, torch.full((3, 6), torch.nan)), average)
    # One image's are missing, and one value of another's; the third image does not notice.
    holed, filled = FEATURES.clone(), FEATURES.clone()
    holed[0], holed[1, 2] = torch.nan, torch.nan
    filled[0], filled[1, 2] = 0, 0
    answered = model(IMAGES, holed)
    assert torch.equal(answered, model(IMAGES, filled))
    torch.testing.assert_close(answered[2], model(IMAGES, FEATURES)[2])
    assert not torch.allclose(answered[1], model(IMAGES, FEATURES)[1])


def test_a_missing_value_does_not_spoil_the_gradient() -> None:
    model = dual().train()
    holed = FEATURES.clone()
    holed[0, 0] = torch.nan

    model(IMAGES, holed).sum().backward()

    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_training_withholds_all_features_of_some_images(fusion: str) -> None:
    model = dual(fusion=fusion, withheld=0.4)
    seen: list[Tensor] = []
    model.measured.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images, features = torch.randn(500, 1, 16, 16), torch.randn(500, 6)

    model.train()
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        model(images, features)
    model.eval()(images, features)

    first, again, other, asked = seen
    gone = (first == 0).all(dim=1)
    assert 0.3 < gone.float().mean() < 0.5
    assert torch.equal(first[~gone], features[~gone])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(asked, features)


def test_a_gate_chooses_between_the_pathways() -> None:
    unit = GatedFusion(dropout=0.0)
    image, measured = torch.randn(2, 512), torch.randn(2, 128)
    with torch.no_grad():
        unit.gate.weight.zero_()
        unit.gate.bias.fill_(30.0)
    torch.testing.assert_close(unit(image, measured), unit.image(image).tanh())
    with torch.no_grad():
        unit.gate.bias.fill_(-30.0)
    torch.testing.assert_close(unit(image, measured), unit.measured(measured).tanh())


def test_its_backbone_starts_from_the_weights_file(tmp_path: Path) -> None:
    origin = published("resnet10t", tmp_path)

    model, twin = dual("resnet10t", origin=origin), made("resnet10t", origin)

    backbone, single = model.backbone.state_dict(), twin.state_dict()
    assert backbone.keys() == single.keys() - {"fc.weight", "fc.bias"}
    for name, value in backbone.items():
        assert torch.equal(value, single[name]), name
