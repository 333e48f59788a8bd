"""The views of an image and their mean, as the final measurement takes them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ctexp.data.batches import EvalBatches
from ctexp.data.pixels import HostPixels
from ctexp.training.judging.predict import SHIFT, VIEWS, Tta, predict, views
from tests.data.rows import row
from tests.training.tiny import Pictures

CPU = torch.device("cpu")


class Weighing(nn.Module):
    """Four fixed weighings of the pixels: a network that sees every change of place."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weights = torch.randn(4, 16 * 16, generator=generator)

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        assert images.dtype == torch.uint8
        logits = images.flatten(1).float() @ self.weights.T
        return logits if features is None else logits + features.sum(dim=1, keepdim=True)


def by_hand(image: np.ndarray, tta: Tta) -> list[np.ndarray]:
    """The views of one image (H, W), by numpy's own means."""
    sides = [image] if tta == "none" else [image, image[:, ::-1]]
    if tta != "flip_shift":
        return sides
    step = max(1, round(image.shape[0] * SHIFT))
    found = []
    for side in sides:
        padded = np.pad(side, step)
        height, width = side.shape
        corners = [(step, step), (2 * step, step), (0, step), (step, 2 * step), (step, 0)]
        found += [padded[top : top + height, left : left + width] for top, left in corners]
    return found


@pytest.mark.parametrize("tta", ["none", "flip", "flip_shift"])
@pytest.mark.parametrize("side", [16, 224])
def test_the_views_are_mirrored_and_shifted_with_black_and_the_first_is_the_image(
    tta: Tta, side: int
) -> None:
    images = torch.randint(1, 256, (2, 1, side, side), dtype=torch.uint8)

    seen = list(views(images, tta))

    assert len(seen) == VIEWS[tta]
    assert torch.equal(seen[0], images)
    for number in range(2):
        expected = {view.tobytes() for view in by_hand(images[number, 0].numpy(), tta)}
        assert {np.ascontiguousarray(view[number, 0]).tobytes() for view in seen} == expected
        assert len(expected) == VIEWS[tta]


@pytest.mark.parametrize("tta", ["none", "flip", "flip_shift"])
@pytest.mark.parametrize("with_features", [False, True])
def test_logits_are_the_mean_over_the_views(tta: Tta, with_features: bool) -> None:
    pictures = Pictures(10, seed=4)
    features = np.arange(20, dtype=np.float32).reshape(10, 2) if with_features else None
    rows = [row(f"val/{number}.png") for number in range(10)]
    model = Weighing()

    found = predict(
        model, EvalBatches(HostPixels(pictures), pictures.labels, 4, features), rows, CPU, tta=tta
    )

    for number, image in enumerate(pictures.take(np.arange(10))):
        looked = [model.weights.numpy() @ view.reshape(-1).astype(np.float32) for view in by_hand(image, tta)]
        expected = np.mean(looked, axis=0) + (0 if features is None else features[number].sum())
        assert found.logits[number] == pytest.approx(expected, rel=1e-4, abs=0.5)


def test_one_view_is_the_network_s_answer_to_the_bit() -> None:
    pictures = Pictures(8, seed=4)
    rows = [row(f"val/{number}.png") for number in range(8)]
    model = Weighing()
    found = predict(model, EvalBatches(HostPixels(pictures), pictures.labels, 8), rows, CPU)
    plain = model(torch.from_numpy(pictures.take(np.arange(8))).unsqueeze(1))
    assert found.logits.tobytes() == plain.numpy().tobytes()


def test_a_network_that_knows_no_sides_is_not_changed_by_mirroring() -> None:
    pictures = Pictures(8, seed=4)
    rows = [row(f"val/{number}.png") for number in range(8)]

    class Counting(nn.Module):
        def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
            assert features is None
            return torch.stack(
                [(images > level).sum(dim=(1, 2, 3)) for level in (50, 100, 150, 200)], 1
            ).float()

    def logits(tta: Tta) -> np.ndarray:
        return predict(
            Counting(), EvalBatches(HostPixels(pictures), pictures.labels, 8), rows, CPU, tta=tta
        ).logits

    assert np.array_equal(logits("none"), logits("flip"))
    assert not np.array_equal(logits("none"), logits("flip_shift"))
