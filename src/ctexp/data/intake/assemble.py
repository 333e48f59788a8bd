"""From what was seen of the images and is known of people to the rows of a catalog."""

from collections.abc import Iterable, Mapping, Sequence

from ctexp.data.catalog import ImageRow
from ctexp.data.duplicates.find import find_pairs
from ctexp.data.duplicates.groups import group_ids
from ctexp.data.intake.inspection import Seen
from ctexp.data.intake.people import owners
from ctexp.data.splits.deal import divide


def assemble(seen: Sequence[Seen], meta: Sequence[Mapping[str, str]], seed: int) -> list[ImageRow]:
    """The rows: with groups of copies, patients and studies, and a split where the folders name none.

    Raises:
        DataError: the set comes unsplit and a class has too few groups to be divided.
    """
    groups = _groups(seen, meta)
    made: Mapping[str, str] = {}
    if seen[0].image.split is None:
        known = (
            (one.image.image_id, one.image.class_name, group, one.excluded)
            for one, group in zip(seen, groups, strict=True)
        )
        made = division(known, seed)
    return [
        ImageRow(
            image_id=one.image.image_id,
            path=one.image.image_id,
            split=one.image.split or made[one.image.image_id],
            class_name=one.image.class_name,
            group=group,
            excluded=one.excluded,
            meta=known,
            **vars(one.facts),
        )
        for one, group, known in zip(seen, groups, meta, strict=True)
    ]


def _groups(seen: Sequence[Seen], meta: Sequence[Mapping[str, str]]) -> list[str]:
    decoded = [(place, one.signature) for place, one in enumerate(seen) if one.signature is not None]
    sha256s = [one.facts.sha256 for one in seen]
    pairs = find_pairs([sha256s[place] for place, _ in decoded], [signature for _, signature in decoded])
    links = [(decoded[pair.first][0], decoded[pair.second][0]) for pair in pairs]
    return group_ids(sha256s, links, [owners(known) for known in meta])


def division(images: Iterable[tuple[str, str, str, bool]], seed: int) -> dict[str, str]:
    """The split made for images that come without one.

    Args:
        images: (image id, class name, group, excluded) of each; an excluded one has no say, and goes where
            its group goes, or to train.
        seed: another seed, another split.

    Raises:
        DataError: a class has too few groups.
    """
    images = list(images)
    used = [(image_id, class_name, group) for image_id, class_name, group, excluded in images if not excluded]
    made = divide(used, seed)
    of_group = {group: made[image_id] for image_id, _, group in used}
    return made | {image_id: of_group.get(group, "train") for image_id, _, group, out in images if out}
