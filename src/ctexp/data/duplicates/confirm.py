"""A closer look at candidates: lay one picture over the other, then compare their fine detail."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from ctexp.data.duplicates.candidates import Candidate
from ctexp.data.duplicates.detail import Picture, agreement, detail
from ctexp.data.duplicates.hashes import placement
from ctexp.data.parallel import each

SAME = 0.4
"""From this agreement on two pictures are the same one.

Measured on synthetic CT slices: 4,500 copies altered in one or two of the ways that `find` names agree by
0.72 or more, all but one in a thousand by 0.77; 1,440 copies of the smallest slices, altered in two ways as
far as these go (0.4 of the size, JPEG of quality 60, brightness and contrast by 15 %), by 0.51 or more. Of
1.7 million pairs of different patients the 109 candidates agree by 0.27 or less, and the 7,800 with the
nearest hashes by 0.35 or less.
"""

_HOPELESS = 0.15  # the agreement at half size, in the frame of the hashes, below which a pair is not pursued
_STEPS, _PRECISION = 4, 1e-4  # copies fit after three; it ends when it no longer gains so much correlation
_SMOOTHING = 3  # pixels
_RIM = 4  # pixels left out of the fitting, where an added border shows through
_MOST_STRETCH, _MOST_SHEAR = 0.15, 0.1  # copies are distorted less; where nothing fits anything may come out

Map = NDArray[np.float32]
"""Affine, shape (2, 3): from (x, y) of the part to (x, y) of the whole, in pixels."""


def confirmed(
    pictures: Sequence[NDArray[np.uint8]], found: Sequence[Candidate]
) -> list[tuple[Candidate, float]]:
    """The candidates that are copies, and how well they agree, from `SAME` to 1.

    Args:
        pictures: square, all of one size, by the places that the candidates name.
        found: pairs to look at.
    """
    cv2.setNumThreads(1)  # those of `each` are enough
    shown = sorted({place for candidate in found for place in candidate[:2]})
    details = {place: detail(_halved(pictures[place])) for place in shown}
    pursued = [candidate for candidate in found if _at_first_sight(details, candidate) >= _HOPELESS]
    similarities = each(partial(_similarity, pictures), pursued)
    return [
        (candidate, similarity)
        for candidate, similarity in zip(pursued, similarities, strict=True)
        if similarity >= SAME
    ]


def _at_first_sight(details: dict[int, Picture], candidate: Candidate) -> float:
    """The agreement at half size where the hashes were most alike: cheap, beside fitting."""
    whole, part = details[candidate.whole], details[candidate.part]
    return agreement(_seen_through(whole, placement(candidate.cuts, len(part))), part)


def _similarity(pictures: Sequence[NDArray[np.uint8]], candidate: Candidate) -> float:
    """The agreement of the fine detail once the part lies where it fits best; 0 where it fits nowhere."""
    whole, part = (pictures[place].astype(np.float32) for place in candidate[:2])
    try:
        onto = _fitted(whole, part, placement(candidate.cuts, len(part)))
    except cv2.error:  # it does not converge
        return 0.0
    stretch, shear = np.abs(np.diag(onto) - 1).max(), max(abs(onto[0, 1]), abs(onto[1, 0]))
    if stretch > _MOST_STRETCH or shear > _MOST_SHEAR:
        return 0.0
    seen, part = _in_one_range(_seen_through(whole, onto), part)
    return agreement(detail(seen), detail(part))


def _fitted(whole: Picture, part: Picture, start: Map) -> Map:
    """The map near `start` that makes grey levels correlate best, whatever their brightness and contrast.

    G. D. Evangelidis and E. Z. Psarakis, *Parametric Image Alignment Using Enhanced Correlation Coefficient
    Maximization* (IEEE TPAMI 30, 2008).
    """
    inner = part[_RIM:-_RIM, _RIM:-_RIM]
    shift = np.array([[1, 0, _RIM], [0, 1, _RIM], [0, 0, 1]], np.float32)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, _PRECISION)
    valid = np.ones(whole.shape, np.uint8)
    _, onto = cv2.findTransformECC(inner, whole, start @ shift, cv2.MOTION_AFFINE, until, valid, _SMOOTHING)
    return np.asarray(onto @ np.linalg.inv(shift), np.float32)


def _seen_through(whole: Picture, onto: Map) -> Picture:
    """The whole as it would be if it had been cut and stretched as the part was."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (whole.shape[1], whole.shape[0])
    return np.asarray(cv2.warpAffine(whole, onto, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _in_one_range(seen: Picture, part: Picture) -> tuple[Picture, Picture]:
    """Both with the brightness and contrast of the part, and what is clipped in one clipped in both.

    Where brightness was changed the lightest or darkest detail is lost, and an edge appears where it ends.
    """
    between = [
        (seen.min() + 2 < seen) & (seen < seen.max() - 2),
        (part.min() + 2 < part) & (part < part.max() - 2),
    ]
    unclipped = between[0] & between[1]
    if not unclipped.any():
        return seen, part
    light, lit = seen[unclipped], part[unclipped]
    seen = (seen - light.mean()) * (lit.std() / max(light.std(), 1)) + lit.mean()
    low, high = max(seen.min(), part.min()), min(seen.max(), part.max())
    return np.clip(seen, low, high), np.clip(part, low, high)


def _halved(picture: NDArray[np.uint8]) -> Picture:
    side = len(picture) // 2
    return np.asarray(cv2.resize(picture.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA))
