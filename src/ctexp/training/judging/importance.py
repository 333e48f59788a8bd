"""What a trained network relies on among the features beside the image.

**Permutation importance** (Breiman 2001; Fisher, Rudin and Dominici 2019) is how much worse the network
answers when one column's values are dealt out anew among the validation images, all else as it was. Worse is
measured by the log-loss, in nats: among 72 images one changed answer moves balanced accuracy by more than a
point, and most permutations change none, whereas every one moves the loss. The drop of balanced accuracy
stands beside it.

Images of one group are look-alikes: an image that is dealt its own copy's value has lost nothing. So values
are dealt between groups. Where every group is one image this is the plain permutation.

The 95 % interval is the percentile interval of a bootstrap that draws, with replacement, both the groups of
images (Field & Welsh 2007) and the permutations. With several runs it is of their mean importance; how far
the runs lie apart is told separately, since other seeds learn to rely on other columns.

**Gradient attribution** beside it is by integrated gradients (Sundararajan, Taly and Yan 2017) of the
log-probability F of the true class, from the average training image, whose standardised features x are 0:

    attribution_j = x_j * integral over a in 0..1 of dF(a x) / dx_j

by the midpoint rule. An image's attributions add up to F(x) - F(0). It needs no permutation, and so shows no
value that cannot occur; it says how much a column moves answers, not whether that does any good.

Both divide what correlated columns tell between them, or show none of them to be needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor
from torch.nn.functional import cross_entropy

from ctexp.evaluation.intervals import group_weights, percentiles

THRESHOLD = 0.0
"""Nats that the lower end of a top feature's interval lies above."""

_RESAMPLES = 1000
_SEED = 0
_ROWS = 8192  # of answers computed at once
_GRADIENT_STEPS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """A network whose image pathway is worked through, to be asked about its features.

    Attributes:
        joined: from image features (B, F) and columns (B, k) to logits (B, C).
        image: image features of the N images, (N, F).
        features: their standardised columns, (N, k).
        labels: their true classes, int64 (N,).
    """

    joined: Callable[[Tensor, Tensor], Tensor]
    image: Tensor
    features: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Effect:
    """What permuting did to one network's answers.

    Attributes:
        loss: by how much each image's log-loss rose, nats, (k columns, R permutations, N images).
        hits: by how much its being right fell, 1, 0 or -1, likewise.
    """

    loss: Floats
    hits: Floats


@dataclass(frozen=True)
class ColumnImportance:
    """How much the networks rely on a column.

    Attributes:
        importance: the mean rise of log-loss in nats, over images, permutations and runs.
        low: lower end of its 95 % interval.
        high: upper end.
        permutation_sd: the standard deviation over permutations, of the runs' mean.
        runs: the importance in each run.
        balanced_accuracy_drop: the mean fall of balanced accuracy.
        gradient_share: of all columns' mean absolute integrated gradients, 0..1.
        partner: the column that it goes with most closely; None where it is constant, or alone.
        correlation: Spearman's, with that one.
    """

    column: str
    importance: float
    low: float
    high: float
    permutation_sd: float
    runs: tuple[float, ...]
    balanced_accuracy_drop: float
    gradient_share: float
    partner: str | None
    correlation: float | None

    @property
    def is_top(self) -> bool:
        """Whether its interval lies above the threshold."""
        return self.low > THRESHOLD


def deals(groups: NDArray[np.int64], repeats: int, seed: int = _SEED) -> NDArray[np.int64]:
    """From which image each image gets its value, (repeats, N): each group from one drawn at random.

    No group gives twice, and now and then one is drawn for itself. One that is larger than its giver gets the
    giver's values over again.

    Args:
        groups: the group of each image as 0..G-1 without gaps, (N,).
        repeats: how many times.
        seed: the same seed and groups give the same deals.
    """
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    rng = np.random.default_rng(seed)
    orders = np.empty((repeats, len(groups)), np.int64)
    for order in orders:
        for takers, giver in zip(members, rng.permutation(len(members)), strict=True):
            order[takers] = np.resize(members[giver], len(takers))
    return orders


def permute(subject: Subject, orders: NDArray[np.int64]) -> Effect:
    """Deal out each column anew, by each of `orders` (R, N)."""
    dealt = torch.from_numpy(orders).to(subject.features.device)
    # The answers before come from batches of the same shape: a column that plays no part gives exactly 0.
    before_loss, before_hits = _answers(subject, subject.features.expand(len(dealt), -1, -1))
    losses, hits = [], []
    for column in range(subject.features.shape[1]):
        features = subject.features.repeat(len(dealt), 1, 1)
        features[:, :, column] = subject.features[:, column][dealt]
        loss, hit = _answers(subject, features)
        losses.append(loss - before_loss)
        hits.append(before_hits - hit)
    return Effect(np.stack(losses), np.stack(hits))


@torch.inference_mode()
def _answers(subject: Subject, features: Tensor) -> tuple[Floats, Floats]:
    """Log-loss and rightness of features (R, N, k), each (R, N)."""
    repeats, images, columns = features.shape
    labels = subject.labels.repeat(repeats)
    at_once = max(1, _ROWS // images)
    logits = torch.cat(
        [
            subject.joined(subject.image.repeat(len(part), 1), part.reshape(-1, columns))
            for part in torch.split(features, at_once)
        ]
    ).double()
    losses = cross_entropy(logits, labels, reduction="none")
    hits = (logits.argmax(dim=1) == labels).double()
    return losses.view(repeats, images).cpu().numpy(), hits.view(repeats, images).cpu().numpy()


def integrated_gradients(subject: Subject, steps: int = _GRADIENT_STEPS) -> Floats:
    """Attributions of each image's columns to the log-probability of its true class, nats, (N, k)."""
    total = torch.zeros_like(subject.features, dtype=torch.float64)
    for step in range(steps):
        inputs = (subject.features * ((step + 0.5) / steps)).requires_grad_()
        loss = cross_entropy(subject.joined(subject.image, inputs), subject.labels, reduction="sum")
        (gradient,) = torch.autograd.grad(-loss, inputs)
        total += gradient
    attributions: Floats = (subject.features * total / steps).cpu().numpy()
    return attributions


def rank(
    columns: Sequence[str],
    effects: Sequence[Effect],
    attributions: Sequence[Floats],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    training: NDArray[np.float32],
) -> list[ColumnImportance]:
    """Judge the columns, the most important first.

    Args:
        columns: their names, k of them.
        effects: of each run, by the same deals.
        attributions: of each run, (N, k).
        labels: true classes of the validation images, (N,).
        groups: their groups as 0..G-1, (N,).
        training: the columns of the training images, (M, k), for their correlations.
    """
    rise = np.mean([effect.loss for effect in effects], axis=0)
    fall = np.mean([effect.hits for effect in effects], axis=0).mean(axis=1)
    by_run = np.array([effect.loss.mean(axis=(1, 2)) for effect in effects])
    # Balanced accuracy is the mean over classes of the share of their images that are right.
    classes, counts = np.unique(labels, return_counts=True)
    balanced = (1 / (counts * len(classes)))[np.searchsorted(classes, labels)]
    sizes = np.mean([np.abs(found).mean(axis=0) for found in attributions], axis=0)
    shares = sizes / sizes.sum() if sizes.any() else sizes
    bounds = _intervals(rise, groups)
    found = [
        ColumnImportance(
            column=name,
            importance=float(rise[place].mean()),
            low=bounds[place][0],
            high=bounds[place][1],
            permutation_sd=float(rise[place].mean(axis=1).std(ddof=1)),
            runs=tuple(by_run[:, place].tolist()),
            balanced_accuracy_drop=float(fall[place] @ balanced),
            gradient_share=float(shares[place]),
            partner=None if partner is None else columns[partner[0]],
            correlation=None if partner is None else partner[1],
        )
        for place, (name, partner) in enumerate(zip(columns, _partners(training), strict=True))
    ]
    return sorted(found, key=lambda one: -one.importance)


def _intervals(rise: Floats, groups: NDArray[np.int64]) -> list[tuple[float, float]]:
    """The 95 % interval of each column's mean rise (k, R, N)."""
    repeats = rise.shape[1]
    images = group_weights(groups, _RESAMPLES, _SEED) * 1.0
    images /= images.sum(axis=1, keepdims=True)
    drawn = np.random.default_rng(_SEED).multinomial(repeats, np.full(repeats, 1 / repeats), size=_RESAMPLES)
    return [percentiles(((drawn / repeats) @ column * images).sum(axis=1)) for column in rise]


def _partners(training: NDArray[np.float32]) -> list[tuple[int, float] | None]:
    """Each column's most correlated other one, and their rank correlation (Spearman 1904)."""
    ranks = rankdata(training, axis=0)
    centred = ranks - ranks.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    centred /= np.where(norms > 0, norms, 1)
    table = centred.T @ centred
    np.fill_diagonal(table, 0)
    nearest = np.abs(table).argmax(axis=1)
    return [
        (int(other), float(table[place, other])) if table[place, other] else None
        for place, other in enumerate(nearest)
    ]
