"""What the difference would be if the two sides' answers were exchanged, group by group, at random.

Where neither side is better, the answers to an image could as well have come the other way round. So the
difference seen is set against the differences after exchanging the answers of random groups (Pitman 1937; for
the accuracy of two networks on single images this is McNemar's test). It holds for any number of images,
without normality. The answers of a side's seeds are pooled and exchanged together; their joint answers, the
mean probabilities, would not do, since they differ less between experiments than the single networks do.

What a metric needs is half the sum of both sides, which stays, and half their difference, whose parts change
their signs. That is exact for the area under the ROC curve, too: it is linear in the images of the class and
in the others, and what comes of exchanging both cancels.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ctexp.evaluation.comparison.answered import Answered
from ctexp.evaluation.comparison.delong import placements
from ctexp.evaluation.comparison.rankings import Rankings
from ctexp.evaluation.comparison.resampling import by_chunks
from ctexp.evaluation.comparison.sums import Added

Floats = NDArray[np.float64]


def swapped(
    baseline: Sequence[Answered],
    candidate: Sequence[Answered],
    family: tuple[str, ...],
    draws: int,
    seed: int,
) -> Floats:
    """p-values of the exchange of answers, two-sided, `(metrics,)`; NaN where a metric is undefined.

    Where not one exchange gives a difference as large as the one seen, the p-value is the normal tail with
    the spread of the exchanges, if that is below 1 / (draws + 1): a sum of random signs has lighter tails.

    Args:
        baseline: one table a seed.
        candidate: likewise, for the same images.
        family: names of metrics.
        draws: how many random exchanges.
        seed: of the exchanges.
    """
    signs = _signs(baseline[0].group_count, draws, seed)
    return np.array([_tail(row) for row in differences_after_exchange(baseline, candidate, family, signs)])


def differences_after_exchange(
    baseline: Sequence[Answered],
    candidate: Sequence[Answered],
    family: tuple[str, ...],
    signs: NDArray[np.int8],
) -> Floats:
    """Candidate less baseline, `(metrics, B)`, after groups have exchanged their answers.

    Each side's metric is that of its seeds' answers together, each answer counting 1 / seeds.

    Args:
        baseline: one table a seed.
        candidate: likewise, for the same images.
        family: names of metrics.
        signs: -1 where a group's answers are exchanged, else 1, `(G, B)`.
    """
    sides = [[Added(said, family) for said in side] for side in (baseline, candidate)]
    matrices = [sum(added.matrix for added in side) / len(side) for side in sides]
    shared = np.asarray((matrices[0] + matrices[1]).sum(axis=1)).reshape(-1, 1)
    parted = matrices[1] - matrices[0]
    parted.eliminate_zeros()
    areas = _area_parts(baseline, candidate) if "auroc" in family else np.zeros(parted.shape[1])
    stacked = Rankings(_stacked(baseline, candidate), tuple(name for name in family if name == "auprc"))

    def of_ranks(sign: Floats) -> Floats:
        if not stacked.names:
            return np.empty((0, sign.shape[1]))
        exchanged, kept = (1 - sign) / 2, (1 + sign) / 2
        before, after = (
            stacked.areas(np.vstack([first / len(baseline), second / len(candidate)]))
            for first, second in ((kept, exchanged), (exchanged, kept))
        )
        return after - before

    def moved(chunk: NDArray[np.int8]) -> Floats:
        sign = chunk.astype(np.float64)
        return np.vstack([parted @ sign, areas @ sign, of_ranks(sign)])

    sums = by_chunks(moved, signs)
    added = sides[0][0]
    before, after = (added.metrics((shared + which * sums[: added.rows]) / 2) for which in (-1, 1))
    values = {name: after[name] - before[name] for name in after} | {"auroc": sums[added.rows]}
    values |= dict(zip(stacked.names, sums[added.rows + 1 :], strict=True))
    return np.stack([values[name] for name in family])


@lru_cache(maxsize=2)
def _signs(groups: int, draws: int, seed: int) -> NDArray[np.int8]:
    """As seen (a column of ones), then exchanges: `(groups, draws + 1)`."""
    signs = np.ones((groups, draws + 1), dtype=np.int8)
    signs[:, 1:] -= 2 * np.random.default_rng(seed).integers(0, 2, (groups, draws), dtype=np.int8)
    return signs


def _stacked(baseline: Sequence[Answered], candidate: Sequence[Answered]) -> Answered:
    """All tables as one: the candidate's groups stand G places further."""
    further = baseline[0].group_count
    return Answered(
        labels=np.concatenate([said.labels for said in (*baseline, *candidate)]),
        logits=np.concatenate([said.logits for said in (*baseline, *candidate)]),
        groups=np.concatenate(
            [*(said.groups for said in baseline), *(said.groups + further for said in candidate)]
        ),
    )


def _tail(differences: Floats) -> float:
    """How often a difference is as large as the first; NaN where that is undefined."""
    seen, others = abs(differences[0]), np.abs(differences[1:])
    others = others[np.isfinite(others)]
    if not np.isfinite(seen):
        return float("nan")
    reached = np.count_nonzero(others >= seen - 1e-12)
    p = (1 + reached) / (1 + len(others))
    if reached:
        return float(p)
    spread = np.sqrt(np.mean(others**2))
    return float(min(p, 2 * ndtr(-seen / spread))) if spread > 0 else float(p)


def _area_parts(baseline: Sequence[Answered], candidate: Sequence[Answered]) -> Floats:
    """What each group adds to the difference of the macro AUROC, `(G,)`; exchanged, it changes sign.

    An image adds by how much better the candidate's seeds place it among all answers of the other side of the
    class, each experiment's by half.
    """
    labels, groups = baseline[0].labels, baseline[0].groups
    count, kinds = baseline[0].group_count, np.unique(labels)
    if len(kinds) == 1:
        return np.full(count, np.nan)
    tables = [said.probabilities for said in (*baseline, *candidate)]
    shares = np.repeat([1 / len(baseline), 1 / len(candidate)], [len(baseline), len(candidate)])
    signed = shares * np.repeat([-1, 1], [len(baseline), len(candidate)])
    parts = np.zeros(count)
    for k in kinds:
        positive = labels == k
        placed = placements(positive, np.stack([table[:, k] for table in tables]), shares)
        sizes = np.where(positive, np.count_nonzero(positive), np.count_nonzero(~positive))
        parts += np.bincount(groups, signed @ placed / sizes, minlength=count)
    return parts / len(kinds)
