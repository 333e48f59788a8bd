"""From signatures to pairs of copies."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

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
    """Pairs enough to connect all copies: each exact copy with the first of its kind, near copies all."""
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
    return pairs
