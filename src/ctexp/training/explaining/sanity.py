"""Whether a map depends on what the network has learned (Adebayo et al. 2018).

The entries of every weight tensor are dealt anew at random, which leaves the network's shape and the scale of
its weights and nothing else. A map that hardly changes then shows the picture, not the network's reasons.
Likeness is Spearman's rank correlation over the places of the maps.
"""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

THRESHOLD = 0.5
"""A mean rank correlation above this says that maps do not depend on what was learned."""

DRAWS = 3
"""How many times the weights are dealt."""


def randomised(network: nn.Module, seed: int) -> nn.Module:
    """A copy with the entries of each weight tensor in random order, the same for the same seed."""
    dealt = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in dealt.parameters():
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.flatten()[order].view_as(weight))
    return dealt


def rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float | None:
    """Spearman's of two maps of one shape; None where one of them is the same everywhere."""
    from scipy.stats import rankdata

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(rankdata(one.ravel()), rankdata(other.ravel()))[0, 1])
