"""Two pathways: both inputs count, and the image alone is enough for an answer."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from ctexp.core.files import sha256_file
from ctexp.models.build import build
from ctexp.models.dual_pathway import DualPathway
from ctexp.models.weights import WeightsOrigin


def dual(name: str = "tiny_cnn", origin: WeightsOrigin | None = None) -> nn.Module:
    torch.manual_seed(0)
    model = build(
        name,
        origin or WeightsOrigin("random"),
        in_channels=1,
        image_size=32,
        num_classes=4,
        dropout=0.0,
        num_features=6,
    )
    return model.eval()


@pytest.mark.parametrize("name", ["tiny_cnn", "resnet18", "convnext_atto", "mobilenetv3_small_050"])
def test_both_inputs_change_the_answer_and_learn(name: str) -> None:
    model = dual(name).train()
    images, features = torch.randn(3, 1, 32, 32), torch.randn(3, 6)

    logits = model(images, features)

    assert logits.shape == (3, 4)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    before = model(images, features)
    assert not torch.equal(before, model(images.flip(0), features))
    assert not torch.equal(before, model(images, features + 1))


def test_without_features_it_answers_as_for_average_ones() -> None:
    model, images = dual(), torch.randn(2, 1, 32, 32)

    torch.testing.assert_close(model(images), model(images, torch.zeros(2, 6)))


def test_its_backbone_starts_from_the_weights_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    published = timm.create_model("resnet18", num_classes=1000, in_chans=3)
    file = tmp_path / "resnet18.safetensors"
    save_file(published.state_dict(), file)

    model = dual("resnet18", WeightsOrigin(f"file:{file}", sha256_file(file), file))

    assert isinstance(model, DualPathway)
    torch.testing.assert_close(
        model.backbone.state_dict()["layer1.0.conv1.weight"],
        published.state_dict()["layer1.0.conv1.weight"],
    )
