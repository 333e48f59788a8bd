"""Every loss against its formula, written anew with numpy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ctexp.models import losses

COUNTS = [20, 5, 3, 1]
LABELS = [0, 0, 0, 0, 1, 1, 2, 3]
IMAGES = np.repeat(np.arange(4), COUNTS)
BALANCED = losses.BalancedSoftmax(COUNTS, label_smoothing=0.0)

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "cross_entropy": lambda: losses.cross_entropy(COUNTS, label_smoothing=0.1, balanced=True),
    "focal": lambda: losses.FocalLoss(COUNTS, gamma=2.0, balanced=True),
    "class_balanced": lambda: losses.class_balanced(COUNTS, beta=0.9, label_smoothing=0.1),
    "balanced_softmax": lambda: losses.BalancedSoftmax(COUNTS, label_smoothing=0.1),
    "pairwise_confusion": lambda: losses.PairwiseConfusion(confusion=0.3, label_smoothing=0.1),
}


def logits() -> Tensor:
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(0)) * 2


def probabilities(of: Tensor) -> NDArray[np.float64]:
    powers = np.exp(of.detach().double().numpy())
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def plain(of: Tensor, smoothing: float = 0.0) -> NDArray[np.float64]:
    """Cross-entropy with the true class's target lowered to 1 - smoothing + smoothing / 4."""
    targets = np.full((8, 4), smoothing / 4)
    targets[np.arange(8), LABELS] += 1 - smoothing
    return np.asarray(-(targets * np.log(probabilities(of))).sum(axis=1))


def check(loss: nn.Module, expected: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(loss(logits(), torch.tensor(LABELS)).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_each_image_has_a_loss_of_its_own_and_a_gradient(name: str) -> None:
    given = logits().requires_grad_()
    computed = LOSSES[name]()(given, torch.tensor(LABELS))
    assert computed.shape == (8,)
    assert (computed > 0).all()
    computed.mean().backward()
    assert given.grad is not None
    assert (given.grad.abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sure", [1e4, -1e4])
def test_logits_beyond_all_doubt_have_finite_losses_and_gradients(name: str, sure: float) -> None:
    given = (functional.one_hot(torch.tensor(LABELS), 4).float() * sure).requires_grad_()
    computed = LOSSES[name]()(given, torch.tensor(LABELS))
    computed.mean().backward()
    assert given.grad is not None
    assert torch.isfinite(computed).all()
    assert torch.isfinite(given.grad).all()


@pytest.mark.parametrize("balanced", [False, True])
def test_cross_entropy(balanced: bool) -> None:
    weights = np.array([29 / (4 * count) if balanced else 1.0 for count in COUNTS])
    check(
        losses.cross_entropy(COUNTS, label_smoothing=0.0, balanced=balanced),
        weights[LABELS] * plain(logits()),
    )
    if not balanced:
        check(
            losses.cross_entropy(COUNTS, label_smoothing=0.1, balanced=False), plain(logits(), smoothing=0.1)
        )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss(gamma: float) -> None:
    right = probabilities(logits())[np.arange(8), LABELS]
    expected = -((1 - right) ** gamma) * np.log(right)
    check(losses.FocalLoss(COUNTS, gamma=gamma, balanced=False), expected)
    weights = np.array([29 / (4 * count) for count in COUNTS])
    check(losses.FocalLoss(COUNTS, gamma=gamma, balanced=True), weights[LABELS] * expected)


def test_focal_loss_of_two_classes_is_torchvisions() -> None:
    from torchvision.ops import sigmoid_focal_loss

    margins, labels = logits()[:, 0], torch.tensor([0, 1] * 4)
    expected = sigmoid_focal_loss(margins, labels.float(), alpha=-1, gamma=2.0)
    both = torch.stack([torch.zeros(8), margins], dim=1)
    torch.testing.assert_close(losses.FocalLoss([1, 1], gamma=2.0, balanced=False)(both, labels), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_gradients_are_finite_where_an_image_is_certainly_right(gamma: float) -> None:
    given = torch.tensor([[200.0, 0.0, 0.0, 0.0], [9.0, 0.0, 0.0, 0.0]], requires_grad=True)
    losses.FocalLoss(COUNTS, gamma=gamma, balanced=False)(given, torch.tensor([0, 0])).sum().backward()
    assert given.grad is not None
    assert torch.isfinite(given.grad).all()


def test_class_balanced_loss() -> None:
    effective = (1 - 0.9 ** np.array(COUNTS)) / (1 - 0.9)
    weights = 1 / effective
    weights /= weights[IMAGES].mean()
    check(losses.class_balanced(COUNTS, beta=0.9, label_smoothing=0.0), weights[LABELS] * plain(logits()))


def test_weights_have_a_mean_of_one_over_the_images_and_go_from_none_to_balanced() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    expected = compute_class_weight("balanced", classes=np.arange(4), y=IMAGES)
    np.testing.assert_allclose(losses.balanced_weights(COUNTS), expected, rtol=1e-6)
    np.testing.assert_allclose(losses.effective_weights(COUNTS, 1 - 1e-9), expected, rtol=1e-5)
    np.testing.assert_array_equal(losses.effective_weights(COUNTS, 0.0), np.ones(4))
    for beta in (0.0, 0.5, 0.99, 0.9999):
        assert losses.effective_weights(COUNTS, beta).numpy()[IMAGES].mean() == pytest.approx(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_balanced_softmax(smoothing: float) -> None:
    shifted = logits() + torch.log(torch.tensor(COUNTS) / sum(COUNTS))
    check(losses.BalancedSoftmax(COUNTS, label_smoothing=smoothing), plain(shifted, smoothing))


def test_balanced_softmax_learns_logits_that_do_not_know_the_classes_shares() -> None:
    one_for_all = torch.zeros(4, requires_grad=True)
    images = torch.tensor(IMAGES)
    optimizer = torch.optim.LBFGS([one_for_all], max_iter=100)

    def loss() -> Tensor:
        optimizer.zero_grad()
        mean: Tensor = BALANCED(one_for_all.expand(29, 4), images).mean()
        mean.backward()  # type: ignore[no-untyped-call]
        return mean

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    np.testing.assert_allclose(one_for_all.detach().softmax(dim=0), np.full(4, 0.25), atol=1e-4)


def test_pairwise_confusion() -> None:
    p = probabilities(logits())
    pairs = [(i, j) for i in range(8) for j in range(i) if LABELS[i] != LABELS[j]]
    penalty = np.mean([((p[i] - p[j]) ** 2).sum() for i, j in pairs])
    loss = losses.PairwiseConfusion(confusion=0.3, label_smoothing=0.1)
    computed = loss(logits(), torch.tensor(LABELS))
    assert float(computed.mean()) == pytest.approx(plain(logits(), 0.1).mean() + 0.3 * penalty, rel=1e-5)
    assert (computed.numpy() >= plain(logits(), 0.1) - 1e-6).all()


def test_images_of_one_class_have_nothing_to_be_confused_with() -> None:
    loss, labels = losses.PairwiseConfusion(confusion=0.3, label_smoothing=0.0), torch.full((8,), 2)
    torch.testing.assert_close(
        loss(logits(), labels), functional.cross_entropy(logits(), labels, reduction="none")
    )
