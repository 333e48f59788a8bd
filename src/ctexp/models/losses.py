"""What training minimises: from logits (B, C) and labels (B,) to a loss for each image (B,).

One number an image, not their mean: a step may be computed in parts, and a mixed image has two labels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def cross_entropy(class_counts: Sequence[int], *, label_smoothing: float, balanced: bool) -> nn.Module:
    """Cross-entropy over the classes.

    Args:
        class_counts: training images per class, all positive.
        label_smoothing: the share of each target spread evenly over all classes.
        balanced: whether rare classes weigh more, see `balanced_weights`.
    """
    weight = balanced_weights(class_counts) if balanced else None
    return nn.CrossEntropyLoss(weight=weight, label_smoothing=label_smoothing, reduction="none")


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Weights n / (C * n_c), whose mean over the images is one (King and Zeng 2001, as in scikit-learn)."""
    counts = torch.tensor(class_counts, dtype=torch.float64)
    return (counts.sum() / (len(class_counts) * counts)).to(torch.float32)
