"""What an epoch adds up to."""

import math

import pytest
import torch

from ctexp.training.kernel.sums import EpochSums

LABELS = torch.tensor([0, 3])
LOGITS = torch.eye(4)[[0, 1]]


def add(sums: EpochSums, number: int, gradient: float | None) -> None:
    norm = None if gradient is None else torch.tensor(gradient)
    sums.add(number, torch.tensor([1.0, 2.0]), LOGITS, LABELS, norm)


def test_an_epoch_is_the_mean_of_its_images_and_steps() -> None:
    sums = EpochSums()
    for number, gradient in enumerate((1.0, 4.0, 1.0)):
        add(sums, number, gradient)

    means = {"loss": 1.5, "accuracy": 0.5, "gradient_norm": 2.0, "gradient_norm_max": 4.0}
    assert sums.means() == means
    assert EpochSums.of(sums.state()).means() == means


def test_no_gradient_is_told_where_none_is_known() -> None:
    sums = EpochSums()
    add(sums, 0, None)

    for one in (sums, EpochSums.of(sums.state())):
        assert one.means()["loss"] == pytest.approx(1.5)
        assert math.isnan(one.means()["gradient_norm"])
        assert math.isnan(one.means()["gradient_norm_max"])
