"""Dealing images out to parts: stratified by class, related images together, the same on every machine.

Groups are taken from the largest to the smallest, in random order among equals, and each goes to the part
that lacks most of its classes. So large groups end in large parts, and single images make the shares come
out as near as they can. The arithmetic is in whole numbers and the random bits are Philox's, whose values
are fixed: neither the platform nor the version of a library has a say.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import prod

from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.core.wording import many
from ctexp.data.draws import Purpose, bits

RATIOS = {"train": 70, "val": 15, "test": 15}
"""The shares where nobody says others, in percent."""


def divide(
    images: Sequence[tuple[str, str, str]], seed: int, shares: Mapping[str, int] = RATIOS
) -> dict[str, str]:
    """Deal images out to parts of given shares.

    Args:
        images: (image id, class name, group) of each; images of one group go to one part.
        seed: another seed, another division; the order of `images` does not matter.
        shares: how much of each class a part should get, in proportion to the others.

    Returns:
        The part of each image id.

    Raises:
        DataError: a class has fewer groups than there are parts to fill; all such classes are listed.
    """
    members: dict[str, list[str]] = defaultdict(list)
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    for image_id, class_name, group in sorted(images):
        members[group].append(image_id)
        classes[group][class_name] += 1
    _refuse_too_few(classes, shares)
    rank = dict(zip(classes, bits(seed, 0, Purpose.SPLIT).random_raw(len(classes)), strict=True))
    # Class by class within a size: what one class leaves uneven the next can level.
    order = sorted(classes, key=lambda group: (-len(members[group]), sorted(classes[group]), rank[group]))
    table = _Table(shares, classes)
    return {image_id: part for group in order for part in [table.deal(group)] for image_id in members[group]}


def _refuse_too_few(classes: Mapping[str, Counter[str]], shares: Mapping[str, int]) -> None:
    groups = Counter(name for its in classes.values() for name in its)
    problems = [
        f"{name}: {many(groups[name], 'independent image')}; {len(shares)} parts need at least {len(shares)}"
        for name in CLASSES
        if groups[name] < len(shares)
    ]
    if problems:
        raise DataError(problems, "add images, ask for fewer folds, or bring the set already split")


class _Table:
    """What each part has got so far."""

    def __init__(self, shares: Mapping[str, int], classes: Mapping[str, Counter[str]]) -> None:
        self._shares = shares
        self._whole = sum(shares.values())
        self._classes = classes
        self._totals = sum(classes.values(), Counter[str]())
        self._groups_left = Counter(name for its in classes.values() for name in its)
        self._dealt: dict[str, Counter[str]] = {part: Counter() for part in shares}

    def deal(self, group: str) -> str:
        """The part that lacks most of what a group has; but no part stays without a class."""
        candidates = list(self._shares)
        for name in self._classes[group]:
            empty = [part for part in candidates if not self._dealt[part][name]]
            if empty and self._groups_left[name] <= len(empty):
                candidates = empty
        chosen = max(candidates, key=lambda part: self._lack(part, group))
        self._dealt[chosen] += self._classes[group]
        self._groups_left -= Counter(dict.fromkeys(self._classes[group], 1))
        return chosen

    def _lack(self, part: str, group: str) -> tuple[int, int]:
        """How much nearer a group brings a part to its share of the group's classes; then of all images.

        It is the fall of the sum over parts and classes of the squared distance from the share, each class
        measured by its own size, without what is the same for every part and times what makes it whole.
        """
        its, share, dealt = self._classes[group], self._shares[part], self._dealt[part]
        scale = prod(self._totals[name] ** 2 for name in its)
        by_class = sum(
            count * self._short(self._totals[name], share, dealt[name]) * (scale // self._totals[name] ** 2)
            for name, count in its.items()
        )
        return by_class, self._short(self._totals.total(), share, dealt.total())

    def _short(self, of: int, share: int, got: int) -> int:
        """By how many images, times the sum of shares, a part is short of its share `of` so many."""
        return of * share - self._whole * got
