"""Dividing by time: what was acquired first trains, what came last is the test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, combinations

from ctexp.core.classes import SPLITS
from ctexp.core.errors import DataError
from ctexp.core.wording import many, some
from ctexp.data.catalog import ImageRow
from ctexp.data.dates import iso_date

_WAY_OUT = (
    "bring the dates with the import: scripts/inv data-import PATH --metadata T.csv; or use another --scheme"
)


def divide_by_date(rows: Sequence[ImageRow], ratios: Mapping[str, int]) -> dict[str, str]:
    """Cut the days of acquisition into train, val and test, so that the shares come as near as they can.

    Cuts lie between days. A group counts as of its latest day, so that nothing later than a cut is ever
    before it: training never sees the future.

    Args:
        rows: the images; `meta["acquired"]` is a date or a moment after ISO 8601, or YYYYMMDD.
        ratios: of train, val and test, in percent.

    Returns:
        The split of each image id.

    Raises:
        DataError: images lack a date, or there are fewer than three days.
    """
    latest = _latest(rows)
    images = Counter(latest[row.group] for row in rows)
    days = sorted(images)
    if len(days) < len(SPLITS):
        raise DataError(
            f"{many(len(days), 'day')} of acquisition; train, val and test need three different ones",
            _WAY_OUT,
        )
    # upto[i]: how many images are of the days before day i.
    upto = [0, *accumulate(images[day] for day in days)]

    def cut(share: int, first: int, last: int) -> int:
        return min(range(first, last + 1), key=lambda place: abs(100 * upto[place] - share * len(rows)))

    val = cut(ratios["train"], 1, len(days) - 2)
    test = cut(ratios["train"] + ratios["val"], val + 1, len(days) - 1)
    split_of = {day: SPLITS[(place >= val) + (place >= test)] for place, day in enumerate(days)}
    return {row.image_id: split_of[latest[row.group]] for row in rows}


def out_of_order(parts: Mapping[str, Sequence[ImageRow]]) -> list[str]:
    """What today's dates say against a division by time that was made before.

    A group counts as of its latest day.

    Returns:
        A line for each two parts of which the earlier holds something later than the later one does.

    Raises:
        DataError: images lack a date.
    """
    latest = _latest([row for split in SPLITS for row in parts[split]])

    def day(row: ImageRow) -> str:
        return latest[row.group]

    problems = []
    for before, after in combinations([split for split in SPLITS if parts[split]], 2):
        last, first = max(parts[before], key=day), min(parts[after], key=day)
        if day(last) > day(first):
            problems.append(
                f"{last.image_id} ({day(last)}) in {before} is later than "
                f"{first.image_id} ({day(first)}) in {after}"
            )
    return problems


def _latest(rows: Sequence[ImageRow]) -> dict[str, str]:
    """The latest day of each group, after ISO 8601, whose texts are in the order of time."""
    latest: dict[str, str] = {}
    for row, day in zip(rows, _days(rows), strict=True):
        latest[row.group] = max(day, latest.get(row.group, day))
    return latest


def _days(rows: Sequence[ImageRow]) -> list[str]:
    """The day of each image."""
    days = [iso_date(row.meta.get("acquired", "")) for row in rows]
    missing = [row.image_id for row in rows if not row.meta.get("acquired")]
    unread = [
        f"{row.image_id}: {row.meta['acquired']!r}"
        for row, day in zip(rows, days, strict=True)
        if row.meta.get("acquired") and not day
    ]
    problems = {"have no date of acquisition": missing, "have a date that is not understood": unread}
    told = [
        f"{len(found)} of {len(rows)} images {what} ({some(found)})"
        for what, found in problems.items()
        if found
    ]
    if told:
        raise DataError(told, _WAY_OUT)
    return days
