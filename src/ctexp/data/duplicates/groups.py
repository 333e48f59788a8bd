"""From pairs, patients and studies to groups: images that belong on one side of every split."""

from collections.abc import Collection, Iterable, Sequence

from scipy.cluster.hierarchy import DisjointSet


def group_ids(
    sha256s: Sequence[str], links: Iterable[tuple[int, int]], owners: Sequence[Collection[str]]
) -> list[str]:
    """The group of each image: connected components of copies and of images that share an owner.

    Args:
        sha256s: of each image's bytes.
        links: places of two images that are copies.
        owners: whose each image is: its patient, its study; none where nobody knows.

    Returns:
        For each image the first 16 digits of the smallest SHA-256 of its group, so that an image without
        copies has a group that does not depend on others.
    """
    sets = DisjointSet(range(len(sha256s)))
    for first, second in links:
        sets.merge(first, second)
    first_of: dict[str, int] = {}
    for place, its_owners in enumerate(owners):
        for owner in its_owners:
            sets.merge(first_of.setdefault(owner, place), place)
    groups = [""] * len(sha256s)
    for members in sets.subsets():
        name = min(sha256s[member] for member in members)[:16]
        for member in members:
            groups[member] = name
    return groups
