"""Maps that mean something change with the weights, those that do not are found out."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from ctexp.models.tiny_cnn import TinyCnn
from ctexp.training.explaining.layers import last_map
from ctexp.training.explaining.maps import grad_cam
from ctexp.training.explaining.sanity import DRAWS, THRESHOLD, randomised, rank_correlation


def test_weights_are_dealt_anew_and_the_network_kept() -> None:
    torch.manual_seed(0)
    model = TinyCnn(1, 4, 0.0).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    dealt, again, other = randomised(model, 1), randomised(model, 1), randomised(model, 2)

    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert torch.equal(dealt.get_parameter(name), again.get_parameter(name))
        torch.testing.assert_close(
            dealt.get_parameter(name).flatten().sort().values, parameter.flatten().sort().values
        )
    weights = [one.get_parameter("head.weight") for one in (model, dealt, other)]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])


def test_the_correlation_is_spearman_s() -> None:
    random = np.random.default_rng(1)
    one, other = (random.integers(0, 5, (4, 4)).astype(np.float32) for _ in range(2))

    assert rank_correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert rank_correlation(one, one) == pytest.approx(1)
    assert rank_correlation(one, np.zeros_like(one)) is None


class Brightness(nn.Module):
    """Its map is the picture's brightness, whatever its weights are: they are all equal."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(1, 1, kernel_size=8, stride=8, bias=False)
        self.head = nn.Linear(1, 4)
        nn.init.constant_(self.map.weight, 1 / 64)
        nn.init.constant_(self.head.weight, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.map(images).relu().mean(dim=(2, 3)))
        return logits


def likeness(model: nn.Module) -> float:
    images = torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    images[:, :, 16:32, 24:40] += 1
    classes = torch.zeros(8, dtype=torch.int64)
    heats = [
        grad_cam(one, last_map(one, images[:1]), images, None, classes).numpy()
        for one in (model, *(randomised(model, seed) for seed in range(DRAWS)))
    ]
    found = [
        rank_correlation(heat, other)
        for others in heats[1:]
        for heat, other in zip(heats[0], others, strict=True)
    ]
    return float(np.mean([value for value in found if value is not None]))


def test_a_map_of_the_picture_alone_is_suspicious() -> None:
    assert likeness(Brightness().eval()) == pytest.approx(1)


def test_a_map_that_hangs_on_the_weights_is_not() -> None:
    torch.manual_seed(5)
    model = Brightness()
    nn.init.normal_(model.map.weight)
    model.map.weight.data[:, :, :4] += 1  # edges from bright to dark

    assert likeness(model.eval()) < THRESHOLD
