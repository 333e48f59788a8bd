"""When a night begins and ends, by the clock on the wall of the machine."""

import time as system_time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctexp.core.errors import UsageError
from ctexp.planning.plan.window import parse

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    system_time.tzset()
    yield
    monkeypatch.undo()
    system_time.tzset()


def opens(said: str, now: str) -> tuple[str, str]:
    """Begin and end by the clock in Berlin, of a start then."""
    begin, end = parse(said).opens(datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    return tuple(f"{moment.astimezone(BERLIN):%a %H:%M}" for moment in (begin, end))  # type: ignore[return-value]


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("said", "now", "expected"),
    [
        ("8h", "2026-11-17 22:00", ("Tue 22:00", "Wed 06:00")),
        ("until 07:00", "2026-11-17 22:00", ("Tue 22:00", "Wed 07:00")),
        ("until 7:00", "2026-11-17 06:59", ("Tue 06:59", "Tue 07:00")),
        ("until 07:00", "2026-11-17 07:00", ("Tue 07:00", "Wed 07:00")),
        ("Overnight", "2026-11-17 22:00", ("Tue 22:00", "Wed 07:00")),
        ("workday", "2026-11-17 09:00", ("Tue 09:00", "Tue 18:00")),
        ("workday", "2026-11-17 19:00", ("Tue 19:00", "Wed 18:00")),
        ("weekend", "2026-11-20 19:00", ("Fri 19:00", "Mon 07:00")),
        ("weekend", "2026-11-23 06:00", ("Mon 06:00", "Mon 07:00")),
        ("weekend", "2026-11-23 08:00", ("Mon 08:00", "Mon 07:00")),
        ("from 22:00 for 8h", "2026-11-17 12:00", ("Tue 22:00", "Wed 06:00")),
        ("from 22:00 for 8h", "2026-11-17 23:00", ("Wed 22:00", "Thu 06:00")),
        ("from 22:00 until 07:00", "2026-11-17 12:00", ("Tue 22:00", "Wed 07:00")),
        ("from 22:00 overnight", "2026-11-17 12:00", ("Tue 22:00", "Wed 07:00")),
        ("  from  22:00   30m ", "2026-11-17 12:00", ("Tue 22:00", "Tue 22:30")),
    ],
)
def test_windows_of_ordinary_days(said: str, now: str, expected: tuple[str, str]) -> None:
    assert opens(said, now) == expected


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("said", "now", "doubt"),
    [
        ("until 19:00", "2026-11-21 19:19", "it is 19:19 now, so it closes tomorrow, Sun 19:00"),
        ("overnight", "2026-11-21 08:00", "it is 08:00 now, so it closes tomorrow, Sun 07:00"),
        ("overnight", "2026-11-21 17:00", ""),
        ("from 22:00 until 21:00", "2026-11-21 19:19", ""),
        ("weekend", "2026-11-20 19:00", ""),
        ("2d", "2026-11-20 19:00", ""),
    ],
)
def test_a_clock_time_that_has_just_passed_is_doubted(said: str, now: str, doubt: str) -> None:
    told = parse(said).doubt(datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert told == (f"window {said}: {doubt}" if doubt else "")


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("said", "now", "hours"),
    [
        ("overnight", "2026-10-24 22:00", 10),  # clocks go back at three
        ("overnight", "2026-03-28 22:00", 8),  # clocks go forward at two
        ("8h", "2026-10-24 22:00", 8),
        ("8h", "2026-03-28 22:00", 8),
        ("weekend", "2026-10-23 19:00", 61),
        ("until 03:00", "2026-03-29 01:00", 1),
    ],
)
def test_summer_time_is_counted(said: str, now: str, hours: float) -> None:
    begin, end = parse(said).opens(datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert end - begin == timedelta(hours=hours)


@pytest.mark.usefixtures("in_berlin")
def test_an_hour_that_comes_twice() -> None:
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15, an hour before it is 02:15 again
    assert parse("until 02:30").opens(first)[1] == first + timedelta(minutes=15)
    assert parse("until 02:10").opens(first)[1] == first + timedelta(minutes=55)
    second = first + timedelta(hours=1)
    assert parse("until 02:30").opens(second)[1] == second + timedelta(minutes=15)


@pytest.mark.usefixtures("in_berlin")
def test_a_moment_that_is_left_out_comes_an_hour_later() -> None:
    begin, end = parse("from 02:30 for 1h").opens(datetime(2026, 3, 29, 0, 0, tzinfo=UTC))
    assert begin.astimezone(BERLIN).strftime("%H:%M") == "03:30"
    assert end - begin == timedelta(hours=1)


SAID = st.one_of(
    st.sampled_from(["overnight", "workday", "weekend", "8h", "90m", "2d"]),
    st.times().map("until {0:%H:%M}".format),
    st.times().map("from {0:%H:%M} for 8h".format),
    st.tuples(st.times(), st.times()).map(lambda both: f"from {both[0]:%H:%M} until {both[1]:%H:%M}"),
)


@given(
    SAID, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin"])
)
def test_a_window_begins_now_or_later_and_ends_after_that(said: str, now: datetime, zone: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        system_time.tzset()
        begin, end = parse(said).opens(now.replace(tzinfo=UTC))
    system_time.tzset()
    assert now.replace(tzinfo=UTC) <= begin < end
    assert end - begin <= timedelta(days=7, hours=2)


@pytest.mark.parametrize("said", ["8", "480", "from 22:00 for 8"])
def test_a_number_without_a_unit_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="no unit"):
        parse(said)


@pytest.mark.parametrize(
    "said",
    ["", "soon", "until 25:00", "until 7", "from 22:00", "until tomorrow", "0h", "from 24:00 for 1h", "-8h"],
)
def test_what_is_no_window(said: str) -> None:
    with pytest.raises(UsageError):
        parse(said)
