"""What several processes are given of a batch is, put together, the batch that one process would be given."""

from typing import Any

import pytest
import torch

from ctexp.data.batches import Batch
from ctexp.data.pixels import HostPixels
from ctexp.data.shares import Share
from ctexp.training.kernel.recipe import build_train_batches
from tests.training import tiny

ALL = Share()


def batches(config: Any, share: Share = ALL) -> list[Batch]:
    """Those of an epoch of 22 images, six or five in each."""
    made = tiny.batches(tiny.Pictures(22, seed=1), config)
    made.divide(share)
    return list(made)


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("mixing", [{}, {"mixup": 0.4, "cutmix": 1.0}], ids=["plain", "mixed"])
def test_shares_of_every_part_make_up_the_part(mixing: dict[str, float], size: int, pieces: int) -> None:
    config = tiny.settings(augment=mixing)
    shares = [batches(config, Share(rank, size, pieces)) for rank in range(size)]
    for number, whole in enumerate(batches(config)):
        parts = [list(share[number].pieces(pieces)) for share in shares]
        for part, expected in enumerate(whole.pieces(pieces)):
            own = [share[part] for share in parts]
            assert torch.equal(torch.cat([one.images for one in own]), expected.images)
            assert max(len(one.images) for one in own) - min(len(one.images) for one in own) <= 1
            for one in own:
                torch.testing.assert_close(one[1:], expected[1:], rtol=0, atol=0)


def test_features_are_of_the_share_and_labels_of_all() -> None:
    config = tiny.settings(augment={"mixup": 1.0})
    measured = torch.arange(22 * 3, dtype=torch.float32).reshape(22, 3).numpy()
    pictures = tiny.Pictures(22, seed=1)

    def first(share: Share) -> Batch:
        made = build_train_batches(config, HostPixels(pictures), pictures.labels, measured)
        made.divide(share)
        return next(iter(made))

    whole, halves = first(ALL), [first(Share(rank, 2)) for rank in (0, 1)]
    features = [half.features for half in halves if half.features is not None]
    assert whole.features is not None
    assert torch.equal(torch.cat(features), whole.features)
    assert all(torch.equal(half.labels, whole.labels) for half in halves)
