"""Which pairs are worth a closer look: of all, those whose hashes are alike in some frame.

Every picture is compared with every other, which is quadratic but a matter of two instructions: 10,000
pictures in 16 frames take about two seconds. Of a thousand CT slices some thirty pairs pass that are no
copies.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctexp.data.duplicates.hashes import CUTS, distances
from ctexp.data.parallel import each

NEAR_BITS = 48
"""Hashes that differ in at most so many of their 256 bits make a candidate."""

_FIRST_BITS = 12  # … of which at most so many among the first 64, the lowest frequencies
_ROWS = 16  # images compared with all others at once: their distances stay in the processor's cache
_BLOCK = 256  # images a thread takes at a time

_FRAMES = list(product(range(len(CUTS)), repeat=4))
_CORNERS = [place for place, cuts in enumerate(_FRAMES) if set(cuts) <= {0, len(CUTS) - 1}]


class Candidate(NamedTuple):
    """Two images, by their places in the list.

    Attributes:
        whole: the one that is to be cut.
        part: the one that it then looks like.
        cuts: places in `hashes.CUTS` for top, bottom, left, right.
    """

    whole: int
    part: int
    cuts: tuple[int, ...]


def candidates(hashes: NDArray[np.uint64]) -> list[Candidate]:
    """Pairs of pictures one of which, cut a little, may be the other.

    All pairs are compared in the frames that cut nothing or most of each side; those found, in all frames.

    Args:
        hashes: `(n, 3, 3, 3, 3, words)`, those of each picture.

    Returns:
        Each pair once, in order, in the frame where it is most alike.
    """
    count = len(hashes)
    if count < 2:
        return []
    hashes = hashes.reshape(count, -1, hashes.shape[-1])
    plain = np.ascontiguousarray(hashes[:, 0])
    search = partial(_alike, np.ascontiguousarray(hashes[:, _CORNERS]), plain)
    alike = np.concatenate(each(search, range(0, count, _BLOCK)))
    pairs = np.unique(np.sort(alike, axis=1), axis=0)
    return [
        candidate
        for start in range(0, len(pairs), _BLOCK)
        for candidate in _framed(hashes, plain, pairs[start : start + _BLOCK])
    ]


def _alike(corners: NDArray[np.uint64], plain: NDArray[np.uint64], start: int) -> NDArray[np.intp]:
    """Pairs (whole, part) for some of the wholes, those from `start` on; a pair may come more than once."""
    found = []
    lowest = np.ascontiguousarray(plain[:, 0])
    for row in range(start, min(start + _BLOCK, len(plain)), _ROWS):
        frames = corners[row : row + _ROWS]
        for frame in range(frames.shape[1]):
            differ = np.bitwise_count(frames[:, frame, 0, np.newaxis] ^ lowest)
            wholes, parts = np.divmod(np.flatnonzero(differ <= _FIRST_BITS), len(plain))
            near = distances(frames[wholes, frame], plain[parts]) <= NEAR_BITS
            found.append(np.stack([row + wholes[near], parts[near]], axis=1))
    pairs = np.concatenate(found)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]])


def _framed(
    hashes: NDArray[np.uint64], plain: NDArray[np.uint64], pairs: NDArray[np.intp]
) -> Iterator[Candidate]:
    """Each of some pairs, with which is the whole and what is cut off it."""
    for first_is_whole, second_is_whole, (first, second) in zip(
        distances(hashes[pairs[:, 0]], plain[pairs[:, 1], np.newaxis]),
        distances(hashes[pairs[:, 1]], plain[pairs[:, 0], np.newaxis]),
        pairs.tolist(),
        strict=True,
    ):
        if second_is_whole.min() < first_is_whole.min():
            yield Candidate(second, first, _FRAMES[second_is_whole.argmin()])
        else:
            yield Candidate(first, second, _FRAMES[first_is_whole.argmin()])
