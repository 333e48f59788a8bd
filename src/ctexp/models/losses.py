"""What training minimises: from logits (B, C) and labels (B,) to a loss for each image (B,).

One number an image, not their mean: a step may be computed in parts, and a mixed image has two labels. Losses
are for training alone: validation measures cross-entropy, and predictions are the plain logits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def cross_entropy(class_counts: Sequence[int], *, label_smoothing: float, balanced: bool) -> nn.Module:
    """Cross-entropy over the classes.

    Args:
        class_counts: training images per class, all positive.
        label_smoothing: the share of each target spread evenly over all classes.
        balanced: whether rare classes weigh more, see `balanced_weights`.
    """
    weight = balanced_weights(class_counts) if balanced else None
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=label_smoothing, reduction="none")


def class_balanced(class_counts: Sequence[int], *, beta: float, label_smoothing: float) -> nn.Module:
    """Cross-entropy weighted by the effective number of images, see `effective_weights`.

    Args:
        class_counts: training images per class, all positive.
        beta: how little a class's images overlap; below 1.
        label_smoothing: the share of each target spread evenly over all classes.
    """
    weight = effective_weights(class_counts, beta)
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=label_smoothing, reduction="none")


class FocalLoss(nn.Module):
    """-w_y (1 - p_y)^gamma log p_y, with p_y the probability of the image's class (Lin et al. 2017).

    Args:
        class_counts: training images per class, all positive.
        gamma: how much less an image counts that is nearly right; with 0 it is cross-entropy.
        balanced: whether rare classes weigh more, see `balanced_weights`.
    """

    weight: Tensor

    def __init__(self, class_counts: Sequence[int], *, gamma: float, balanced: bool) -> None:
        super().__init__()
        self._gamma = gamma
        weight = balanced_weights(class_counts) if balanced else torch.ones(len(class_counts))
        self.register_buffer("weight", weight)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Losses (B,)."""
        log_p = -functional.cross_entropy(logits, labels, reduction="none")
        # Not zero: the slope of a power below one is infinite there.
        missing = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).tiny)
        return -self.weight[labels] * missing**self._gamma * log_p


class BalancedSoftmax(nn.Module):
    """Cross-entropy of the logits plus the logarithm of the classes' shares in training (Ren et al. 2020).

    The network need not learn the shares then, and its plain logits are those of evenly frequent classes.

    Args:
        class_counts: training images per class, all positive.
        label_smoothing: the share of each target spread evenly over all classes.
    """

    log_prior: Tensor

    def __init__(self, class_counts: Sequence[int], *, label_smoothing: float) -> None:
        super().__init__()
        self._label_smoothing = label_smoothing
        counts = torch.tensor(class_counts, dtype=torch.float64)
        self.register_buffer("log_prior", (counts / counts.sum()).log().to(torch.float32))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Losses (B,)."""
        shifted = logits + self.log_prior
        return functional.cross_entropy(
            shifted, labels, reduction="none", label_smoothing=self._label_smoothing
        )


class PairwiseConfusion(nn.Module):
    """Cross-entropy, and a penalty on telling two images of different classes apart (Dubey et al. 2018).

    The penalty is the mean squared distance |p_i - p_j|^2 of the probabilities over all pairs of images with
    different labels; each image bears the part of its own pairs, so that the mean over the images is

        mean cross-entropy + confusion * mean over pairs of |p_i - p_j|^2

    Where a step is computed in parts, pairs are found within a part only: many small parts are not quite the
    same as one large one, and parts of one image have no penalty.

    Args:
        confusion: the weight of the penalty.
        label_smoothing: the share of each target spread evenly over all classes.
    """

    def __init__(self, *, confusion: float, label_smoothing: float) -> None:
        super().__init__()
        self._confusion = confusion
        self._label_smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Losses (B,)."""
        losses = functional.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self._label_smoothing
        )
        p = logits.softmax(dim=1, dtype=losses.dtype)
        differ = labels[:, None] != labels
        distances = (p[:, None] - p).square().sum(dim=2) * differ
        share = len(labels) / differ.sum().clamp_min(1)
        return losses + self._confusion * share * distances.sum(dim=1)


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Weights n / (C * n_c), whose mean over the images is one (King and Zeng 2001, as in scikit-learn)."""
    counts = torch.tensor(class_counts, dtype=torch.float64)
    return (counts.sum() / (len(class_counts) * counts)).to(torch.float32)


def effective_weights(class_counts: Sequence[int], beta: float) -> Tensor:
    """Weights in proportion to (1 - beta) / (1 - beta^n_c): one over effective numbers (Cui et al. 2019).

    Their mean over the images is one, as that of `balanced_weights`, to which they tend as beta goes to 1; so
    the learning rate means the same with all of them. (The paper makes their mean over the classes one.)
    """
    counts = torch.tensor(class_counts, dtype=torch.float64)
    weights = (1 - beta) / (1 - beta**counts)
    return (weights * counts.sum() / (weights * counts).sum()).to(torch.float32)
