"""From pairs and patients to groups: images that belong on one side of every split."""

from collections.abc import Iterable, Sequence

from scipy.cluster.hierarchy import DisjointSet


def group_ids(
    sha256s: Sequence[str], links: Iterable[tuple[int, int]], patients: Sequence[str | None]
) -> list[str]:
    """The group of each image: connected components of copies and of images of one patient.

    Args:
        sha256s: of each image's bytes.
        links: places of two images that are copies.
        patients: whose each image is; None where nobody knows.

    Returns:
        For each image the first 16 digits of the smallest SHA-256 of its group, so that an image without
        copies has a group that does not depend on others.
    """
    sets = DisjointSet(range(len(sha256s)))
    for first, second in links:
        sets.merge(first, second)
    first_of: dict[str, int] = {}
    for place, patient in enumerate(patients):
        if patient is not None:
            sets.merge(first_of.setdefault(patient, place), place)
    groups = [""] * len(sha256s)
    for members in sets.subsets():
        name = min(sha256s[member] for member in members)[:16]
        for member in members:
            groups[member] = name
    return groups
