from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core.errors import DataError
from ctexp.data.catalog import ImageRow
from ctexp.data.splits.by_date import divide_by_date
from ctexp.data.splits.deal import RATIOS
from tests.data.splits.sets import image

START = date(2024, 1, 1)


def dated(*days: str) -> list[ImageRow]:
    return [image(f"{n}.png", f"group {n}", "normal", acquired=day) for n, day in enumerate(days)]


def parts(rows: list[ImageRow], **ratios: int) -> list[str]:
    made = divide_by_date(rows, ratios or RATIOS)
    return [made[row.image_id] for row in rows]


def test_the_earliest_train_and_the_latest_are_the_test_however_the_date_is_written() -> None:
    rows = dated("2024-03-01", "20240105", "2024-02-01T23:59:00", "20240110")

    assert parts(rows, train=50, val=25, test=25) == ["test", "train", "val", "train"]


def test_images_of_one_day_are_on_one_side_and_the_cut_is_the_nearest() -> None:
    rows = dated(*["2024-01-01"] * 6, *["2024-01-02"] * 2, "2024-01-03", "2024-01-04")

    assert parts(rows) == [*["train"] * 6, *["val"] * 2, *["test"] * 2]


def test_no_part_is_empty_however_uneven_the_days_are() -> None:
    rows = dated(*["2024-01-01"] * 98, "2024-01-02", "2024-01-03")

    assert parts(rows)[-2:] == ["val", "test"]


def test_a_group_counts_as_of_its_latest_day() -> None:
    rows = dated(*(str(START + timedelta(n)) for n in range(20)))
    rows[0] = replace(rows[0], group=rows[19].group)

    made = parts(rows)

    assert made[0] == made[19] == "test"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=3, max_size=60))
def test_groups_are_whole_and_training_never_sees_what_is_later_than_the_cut(
    drawn: list[tuple[int, int]],
) -> None:
    rows = [
        image(f"{n}.png", f"{group}", "normal", acquired=str(START + timedelta(day)))
        for n, (day, group) in enumerate(drawn)
    ]
    latest: dict[str, str] = defaultdict(str)
    for row in rows:
        latest[row.group] = max(latest[row.group], row.meta["acquired"])
    if len(set(latest.values())) < 3:
        with pytest.raises(DataError, match="of acquisition; train, val and test need three different ones"):
            parts(rows)
        return

    made = divide_by_date(rows, RATIOS)

    days = {part: {latest[row.group] for row in rows if made[row.image_id] == part} for part in RATIOS}
    assert max(days["train"]) < min(days["val"])
    assert max(days["val"]) < min(days["test"])


def test_images_without_a_date_and_odd_dates_are_counted_and_some_named() -> None:
    rows = [*dated("2024-01-01", "May 2024", "2024-13-01"), image("none.png", "no group", "normal")]

    with pytest.raises(DataError) as failure:
        parts(rows)

    assert failure.value.problems == (
        "1 of 4 images have no date of acquisition (none.png)",
        "2 of 4 images have a date that is not understood (1.png: 'May 2024', 2.png: '2024-13-01')",
    )
    assert "--metadata" in failure.value.hint
