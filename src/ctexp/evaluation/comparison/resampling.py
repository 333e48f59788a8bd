"""Every metric under many resamples of the groups of images, fast enough for 10,000 images.

All that a metric needs of a resample are sums over groups: how many images of a class got which answer, and,
along the ranking of a class, how many of the class and how many others stand there. Those sums are products
of sparse matrices with the table of counts, and images that are next to each other in a ranking and on the
same side are one row of it. All tables of a comparison see the same resamples, so differences are paired.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctexp.evaluation import scores
from ctexp.evaluation.comparison.answered import answered
from ctexp.evaluation.comparison.rankings import Rankings
from ctexp.evaluation.comparison.sums import Added
from ctexp.evaluation.predictions import Predictions

Floats = NDArray[np.float64]

_AT_ONCE = 640_000  # numbers in a table of weights: it stays in the processor's cache
_THREADS = 2


@lru_cache(maxsize=2)
def counts(groups: int, resamples: int, seed: int) -> NDArray[np.uint16]:
    """How often each group is in each resample, drawn with replacement: `(groups, resamples)`."""
    random = np.random.default_rng(seed)
    rows = np.empty((resamples, groups), dtype=np.uint16)
    for row in rows:
        row[:] = np.bincount(random.integers(0, groups, groups), minlength=groups)
    return np.ascontiguousarray(rows.T)


@lru_cache(maxsize=64)
def point(table: Predictions, family: tuple[str, ...]) -> Floats:
    """The family's metrics on the images themselves, `(metrics,)`; NaN where undefined."""
    values = scores.weighted(table.label, table.logits, np.ones((1, len(table.label))))
    return np.array([values[name][0] for name in family])


@lru_cache(maxsize=64)
def resampled(table: Predictions, family: tuple[str, ...], resamples: int, seed: int) -> Floats:
    """The family's metrics in every resample, `(metrics, resamples)`; NaN where undefined.

    Kept for the tables last asked for, since a baseline meets many candidates.
    """
    said = answered(table)
    added, rankings = Added(said, family), Rankings(said, family)

    def summed(chunk: NDArray[np.uint16]) -> Floats:
        exact = chunk.astype(np.float32)  # whole numbers: half the memory, and nothing is lost
        return np.vstack([added.matrix @ exact, rankings.areas(exact)])

    sums = by_chunks(summed, counts(said.group_count, resamples, seed))
    values = added.metrics(sums[: added.rows]) | dict(zip(rankings.names, sums[added.rows :], strict=True))
    lacking = (added.truth(sums)[np.unique(said.labels)] == 0).any(axis=0)
    return np.stack(
        [np.where(lacking & (name in scores.OVER_CLASSES), np.nan, values[name]) for name in family]
    )


def by_chunks(work: Callable[[NDArray[Any]], Floats], table: NDArray[Any]) -> Floats:
    """What `work` makes of a table's columns, `(rows, B)`.

    It gets a few at a time, so that what is summed stays in the processor's cache, and on two threads, since
    sums of this size are done outside the interpreter's lock.
    """
    width = max(64, _AT_ONCE // len(table))
    starts = range(0, table.shape[1], width)
    with ThreadPoolExecutor(_THREADS) as threads:
        done = threads.map(lambda start: work(table[:, start : start + width]), starts)
        return np.concatenate(list(done), axis=1)
