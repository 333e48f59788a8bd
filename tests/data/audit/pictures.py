"""Images as the audit has seen them, without files: statistics of nothing in particular, and planted ones."""

from collections.abc import Sequence

import numpy as np

from ctexp.core.files import sha256_bytes
from ctexp.data.audit.look import Seen
from ctexp.data.audit.statistics import STATISTICS
from ctexp.data.duplicates.signature import sign
from tests.data.rows import row

_SIGNATURE = sign(np.random.default_rng(0).integers(0, 256, (32, 40), dtype=np.uint8), "0" * 64)


def seen(
    rng: np.random.Generator,
    split: str,
    class_name: str,
    count: int,
    *,
    suffix: str = "png",
    copies: int = 1,
    excluded: bool = False,
    **planted: float,
) -> list[Seen]:
    """Images of one split and class whose statistics are standard normal, `planted` added to some.

    Args:
        copies: how often each picture is there, in one group.
        planted: statistic, with `_` for a space -> what is added to it.
    """
    added = np.array([planted.get(name.replace(" ", "_"), 0.0) for name in STATISTICS])
    images = []
    for _ in range(count):
        statistics = rng.normal(size=len(STATISTICS)) + added
        group = sha256_bytes(rng.bytes(8))[:16]
        for _ in range(copies):
            content = rng.bytes(8)
            image_id = f"{split}/{class_name}/{content.hex()}.{suffix}"
            its = row(image_id, content, split=split, class_name=class_name, group=group, excluded=excluded)
            images.append(Seen(its, _SIGNATURE, statistics, b""))
    return images


def together(*parts: Sequence[Seen]) -> list[Seen]:
    """All of them, in the order of their ids, as a catalog has them."""
    return sorted((one for part in parts for one in part), key=lambda one: one.row.image_id)
