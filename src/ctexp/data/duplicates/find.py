"""From signatures to pairs of copies."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ctexp.data.duplicates.candidates import candidates
from ctexp.data.duplicates.confirm import confirmed
from ctexp.data.duplicates.signature import Signature

Kind = Literal["bytes", "pixels", "near"]
"""The same file; another file of the same grey levels; the same picture, altered."""


class Pair(NamedTuple):
    """Two images, by their places in the list, the first before the second.

    Attributes:
        similarity: of the fine detail after alignment, 1 for the same pixels.
    """

    first: int
    second: int
    kind: Kind
    similarity: float


def find_pairs(sha256s: Sequence[str], signatures: Sequence[Signature]) -> list[Pair]:
    """Pairs enough to connect all copies: each exact copy with the first of its kind, near copies all.

    Near copies are told of the first image with its pixels. They have been encoded anew, resized or
    stretched, made brighter or darker, cut or framed by about 3 % of a side, or two of these. Hashes
    propose them (`candidates.py`), the agreement of their fine detail decides (`confirm.py`). A picture in
    which something was drawn, be it another tumour, is the same picture as long as its hash and most of its
    detail stay; an image and its mirror image are not.

    Returns:
        In order. Which pictures make a pair, and how similar they are, does not depend on how they are
        listed.
    """
    pairs: list[Pair] = []
    first_of_bytes: dict[str, int] = {}
    first_of_pixels: dict[str, int] = {}
    for place, (sha256, signature) in enumerate(zip(sha256s, signatures, strict=True)):
        same = first_of_bytes.setdefault(sha256, place)
        if same != place:
            pairs.append(Pair(same, place, "bytes", 1.0))
            continue
        alike = first_of_pixels.setdefault(signature.pixels, place)
        if alike != place:
            pairs.append(Pair(alike, place, "pixels", 1.0))
    return sorted([*pairs, *_near(first_of_pixels, signatures)])


def _near(first_of_pixels: Mapping[str, int], signatures: Sequence[Signature]) -> Iterator[Pair]:
    # By content: which of two is laid over the other must not depend on how they are listed.
    places = [place for _, place in sorted(first_of_pixels.items())]
    hashes = np.array([signatures[place].hashes for place in places])
    pictures = [signatures[place].picture for place in places]
    for candidate, similarity in confirmed(pictures, candidates(hashes)):
        first, second = sorted((places[candidate.whole], places[candidate.part]))
        yield Pair(first, second, "near", similarity)
