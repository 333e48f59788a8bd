"""What cannot be assessed, because nobody has said what it would take."""

from collections.abc import Sequence

from ctexp.data.catalog import ImageRow

_WHAT_FOR = {
    "patient": "whether one person's images stand on several sides of a split",
    "age": "fairness across ages",
    "sex": "fairness across sexes",
    "scanner": "whether a class goes with a scanner",
    "acquired": "whether later images differ from earlier ones, and a split by time",
    "location": "whether a class goes with the place of the tumour",
}
"""What people may know of an image -> what can be looked at with it."""


def gaps(rows: Sequence[ImageRow]) -> dict[str, str]:
    """What is not known of all images in use -> what cannot be assessed for that."""
    used = [row for row in rows if not row.excluded]
    found = {}
    for name, purpose in _WHAT_FOR.items():
        known = sum(name in row.meta for row in used)
        if known == 0:
            found[name] = f"{name} is not known: {purpose} cannot be assessed"
        elif known < len(used):
            found[name] = f"{name} is known of {known:,} of {len(used):,} images: {purpose}, of these only"
    return found
