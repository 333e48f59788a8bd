"""Every shipped architecture turns a grey image into four logits and learns from them."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from ctexp.models.build import build, parameter_count
from ctexp.models.losses import balanced_weights, cross_entropy
from ctexp.models.weights import WeightsOrigin

SHIPPED = sorted(set(Path("conf/model").glob("*.yaml")) - {Path("conf/model/dual_pathway.yaml")})
LARGE = {"resnet101", "resnet50", "convnext_tiny", "efficientnet_b3"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LARGE else [])
        for path in SHIPPED
    ],
)
def test_a_shipped_model_gives_four_logits_and_gradients(path: Path) -> None:
    name = yaml.safe_load(path.read_text())["name"]
    size = 32 if "vit" not in name and "deit" not in name else 64
    model = build(name, WeightsOrigin("random"), in_channels=1, image_size=size, num_classes=4, dropout=0.1)
    logits = model(torch.randn(2, 1, size, size))
    assert logits.shape == (2, 4)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert parameter_count(model) > 20_000


def test_three_input_channels_are_possible() -> None:
    model = build("tiny_cnn", WeightsOrigin("random"), in_channels=3, image_size=32, num_classes=4, dropout=0)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 4)


def test_balanced_weights_agree_with_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = [0] * 20 + [1] * 5 + [2] * 3 + [3]
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    torch.testing.assert_close(balanced_weights([20, 5, 3, 1]), torch.tensor(expected, dtype=torch.float32))


def test_loss_options_change_the_loss() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 4), torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])
    counts = [4, 2, 1, 1]
    losses = {
        (smoothing, balanced): float(
            cross_entropy(counts, label_smoothing=smoothing, balanced=balanced)(logits, labels)
        )
        for smoothing in (0.0, 0.1)
        for balanced in (False, True)
    }
    assert len(set(losses.values())) == 4
