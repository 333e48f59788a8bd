"""What is mixed, in which shares."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from ctexp.data.batches import Batch
from ctexp.data.mixing import Mixing, Mixture, Overlay, Patch
from tests.data.augment.samples import DEVICES

SIZE = (24, 20)


def mixtures(mixup: float, cutmix: float, count: int = 400) -> list[Mixture]:
    mixing = Mixing(mixup, cutmix, SIZE, seed=3)
    drawn = [mixing.of(epoch, position) for epoch in range(count // 20) for position in range(20)]
    return [mixture for mixture in drawn if mixture is not None]


def batch(device: str = "cpu") -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (5, 1, *SIZE), generator=generator, dtype=torch.uint8).to(device)
    return Batch(images, torch.arange(5) % 4, torch.randn(5, 3, generator=generator))


@pytest.mark.parametrize("device", ["cpu", *DEVICES])
@pytest.mark.parametrize("kept", [0.0, 3 / 256, 0.25, 0.5, 200 / 256, 1.0])
def test_mixup_is_the_mean_in_the_shares_rounded_to_grey_levels(kept: float, device: str) -> None:
    before, after = batch(device).images.double(), batch(device).mixed(Overlay(kept))
    expected = (kept * before + (1 - kept) * before[[4, 0, 1, 2, 3]]).round()
    torch.testing.assert_close(after.images.double(), expected, rtol=0, atol=0)
    assert after.images.dtype == torch.uint8


def test_cutmix_puts_a_rectangle_of_another_image_into_each() -> None:
    before, after = batch().images, batch().mixed(Patch(0.9, 2, 10, 5, 11)).images
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[2:10, 5:11] = True
    torch.testing.assert_close(after[:, 0, ~inside], before[:, 0, ~inside])
    torch.testing.assert_close(after[:, 0, inside], before[[4, 0, 1, 2, 3]][:, 0, inside])


def test_labels_and_features_are_mixed_in_the_same_share() -> None:
    before, after = batch(), batch().mixed(Overlay(0.75))
    assert after.mix is not None
    assert before.features is not None
    assert after.features is not None
    torch.testing.assert_close(after.labels, before.labels)
    torch.testing.assert_close(after.mix.labels, before.labels[[4, 0, 1, 2, 3]])
    torch.testing.assert_close(after.mix.kept, torch.full((5,), 0.75))
    torch.testing.assert_close(
        after.features, 0.75 * before.features + 0.25 * before.features[[4, 0, 1, 2, 3]]
    )
    pieces = list(after.pieces(2))
    torch.testing.assert_close(
        torch.cat([piece.mix.labels for piece in pieces if piece.mix]), after.mix.labels
    )


def test_cutmix_counts_the_exact_share_of_pixels() -> None:
    drawn = [mixture for mixture in mixtures(0.0, 1.0) if isinstance(mixture, Patch)]
    assert len(drawn) == 400
    for patch in drawn:
        marked = torch.zeros(2, 1, *SIZE, dtype=torch.uint8)
        marked[1] = 255
        patch.apply(marked)
        assert float((marked[0] == 0).double().mean()) == pytest.approx(patch.kept)
    centres = np.array([(patch.top + patch.bottom) / 2 / SIZE[0] for patch in drawn])
    assert abs(centres.mean() - 0.5) < 0.05


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_draws_its_shares_from_the_beta_distribution(alpha: float) -> None:
    kept = np.array([mixture.kept for mixture in mixtures(alpha, 0.0)])
    between = (np.arange(256) + 0.5) / 256  # shares are whole 256ths
    drawn = (kept[:, None] < between).mean(axis=0)
    # Kolmogorov and Smirnov: 99.9 % of samples of 400 stay below this
    assert np.abs(drawn - stats.beta(alpha, alpha).cdf(between)).max() < 0.098


def test_with_both_each_batch_takes_either_with_equal_chance() -> None:
    assert {type(mixture) for mixture in mixtures(1.0, 0.0)} == {Overlay}
    assert {type(mixture) for mixture in mixtures(0.0, 1.0)} == {Patch}
    overlaid = sum(isinstance(mixture, Overlay) for mixture in mixtures(1.0, 1.0))
    assert 160 < overlaid < 240


def test_a_mixture_follows_from_seed_epoch_and_position_alone() -> None:
    mixing = Mixing(1.0, 1.0, SIZE, seed=3)
    assert mixing.of(2, 5) == Mixing(1.0, 1.0, SIZE, seed=3).of(2, 5)
    others = [mixing.of(2, 6), mixing.of(3, 5), Mixing(1.0, 1.0, SIZE, seed=4).of(2, 5)]
    assert mixing.of(2, 5) not in others
    assert Mixing(0.0, 0.0, SIZE, seed=3).of(2, 5) is None


def test_a_batch_of_one_stays_as_it_is() -> None:
    for mixture in (Overlay(0.5), Patch(0.5, 0, 12, 0, 20)):
        images: Tensor = batch().images[:1]
        after = Batch(images.clone(), torch.tensor([2])).mixed(mixture)
        torch.testing.assert_close(after.images, images)
