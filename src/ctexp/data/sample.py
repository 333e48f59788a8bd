"""A few images for trying things out: the same ones every time, with the classes in their proportions."""

from collections import Counter
from collections.abc import Sequence

from ctexp.core.files import sha256_bytes
from ctexp.data.catalog import ImageRow


def sample(rows: Sequence[ImageRow], size: int) -> tuple[ImageRow, ...]:
    """Take `size` rows, or all where there are fewer, in their order.

    Each class gives one row first, then as its share demands, by Webster's (Sainte-Laguë's) method: that of a
    smaller sample lies within that of a larger one. Which rows of a class depends on their ids alone.
    """
    totals, seen = Counter(row.class_name for row in rows), Counter[str]()
    ranked = []
    for row in sorted(rows, key=lambda row: sha256_bytes(row.image_id.encode())):
        place = seen[row.class_name]
        seen[row.class_name] += 1
        ranked.append((place > 0, (place + 0.5) / totals[row.class_name], row.class_name, row.image_id))
    taken = {image_id for *_, image_id in sorted(ranked)[:size]}
    return tuple(row for row in rows if row.image_id in taken)
