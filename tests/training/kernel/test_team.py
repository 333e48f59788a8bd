"""What a team adds up is the gradient of one process: shares computed side by side, without processes."""

import copy
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.distributed as dist
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn

from ctexp.core.errors import UsageError
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import refuse_unfit_input
from ctexp.training.kernel.team import ALONE, Team
from ctexp.training.kernel.together import normalised_together
from tests.training import tiny

SIZE = 3


class Side:
    """Stands for the network between processes: threads that add up what each of them brings."""

    def __init__(self) -> None:
        self._rank = threading.local()
        self._barrier = threading.Barrier(SIZE, timeout=30)
        self._brought: list[Tensor] = [torch.zeros(0)] * SIZE

    def all_reduce(self, tensor: Tensor) -> None:
        self._brought[self._rank.number] = tensor.clone()
        self._barrier.wait()
        total = torch.stack(self._brought).sum(dim=0)
        self._barrier.wait()
        tensor.copy_(total)

    def by_side(self, work: Any) -> list[Any]:
        """What `work(team)` gives in each process of a team."""

        def one(rank: int) -> Any:
            self._rank.number = rank
            return work(Team(rank, SIZE))

        with ThreadPoolExecutor(SIZE) as threads:
            return list(threads.map(one, range(SIZE)))


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    """In 64 bits, where rounding is no excuse."""
    made = Side()
    monkeypatch.setattr(dist, "all_reduce", made.all_reduce)
    torch.set_default_dtype(torch.float64)
    yield made
    torch.set_default_dtype(torch.float32)


def gradients(module: Classifier, team: Team) -> list[Tensor]:
    """Of an epoch's steps, one after the other, with the statistics of batch normalisation."""
    batches = tiny.batches(tiny.Pictures(22, seed=1), module.settings)
    batches.divide(team.share(module.pieces))
    found = []
    with normalised_together(module, team):
        for batch in batches:
            module.zero_grad()
            for piece in batch.pieces(module.pieces):
                logits = team.whole(module(piece.images, piece.features), len(piece.labels))
                (module.losses(logits, piece).sum() / len(batch.labels)).backward()  # type: ignore[no-untyped-call]
            learned = [p.grad for p in module.model.parameters() if p.grad is not None]
            team.add(learned)
            found += [tensor.clone() for tensor in (*learned, *module.model.buffers())]
    return found


@pytest.mark.parametrize(
    "recipe",
    [
        {"augment": {"mixup": 0.4, "cutmix": 1.0}},
        {"loss": {"name": "pairwise_confusion", "confusion": 0.5, "label_smoothing": 0.0}},
        {"data": {"batch_size": 6}, "trainer": {"accumulate_grad_batches": 2}},
    ],
    ids=["mixed", "pairs", "parts"],
)
def test_shares_of_a_step_have_its_gradient_and_statistics(side: Side, recipe: Any) -> None:
    module = tiny.classifier(tiny.settings(model={"dropout": 0.0}, **recipe)).train()
    expected = gradients(copy.deepcopy(module), ALONE)
    for found in side.by_side(lambda team: gradients(copy.deepcopy(module), team)):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm2d(3), BatchNormAct2d(3), nn.BatchNorm2d(3, affine=False), nn.BatchNorm2d(3, momentum=None)],
    ids=["plain", "with activation", "without weights", "mean of all steps"],
)
def test_normalising_together_is_normalising(side: Side, layer: nn.BatchNorm2d) -> None:
    layer = layer.double().train()
    images, weights = torch.randn(7, 3, 4, 4) * 3 + 7, torch.randn(7, 3, 4, 4)

    def learn(team: Team) -> tuple[Tensor, Tensor | None, Tensor]:
        own, norm = team.share(1).of(7), copy.deepcopy(layer)
        seen = images[own].clone().requires_grad_()
        with normalised_together(norm, team):
            given = norm(seen)
            (given.square() * weights[own]).sum().backward()
        assert norm.running_var is not None
        return given.detach(), seen.grad, norm.running_var

    given, gradient, variance = learn(ALONE)
    shares = side.by_side(learn)
    torch.testing.assert_close(torch.cat([share[0] for share in shares]), given)
    torch.testing.assert_close(torch.cat([share[1] for share in shares]), gradient)
    for share in shares:
        torch.testing.assert_close(share[2], variance)


def test_a_norm_that_is_not_known_is_refused() -> None:
    with (
        pytest.raises(UsageError, match="LazyBatchNorm2d is not known"),
        normalised_together(nn.LazyBatchNorm2d(), Team(0, 2)),
    ):
        pass


def test_more_devices_than_images_at_a_time_are_refused() -> None:
    config = tiny.settings(trainer={"devices": 4}, data={"batch_size": 3})
    module = tiny.classifier(config)
    with pytest.raises(UsageError, match=r"trainer\.devices=4: a step computes as few as 2 of its images"):
        refuse_unfit_input(module, Rows())  # type: ignore[arg-type]


class Rows:
    """As much of a selection as is asked for."""

    rows = {"train": range(22)}  # noqa: RUF012 - for a moment
