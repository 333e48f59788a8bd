"""What `--since` means."""

from datetime import datetime, timedelta, timezone

import pytest

from ctexp.core.errors import UsageError
from ctexp.reports.moments import since

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("yesterday", datetime(2026, 11, 20, tzinfo=ZONE)),
        ("today", datetime(2026, 11, 21, tzinfo=ZONE)),
        ("8h", datetime(2026, 11, 21, 1, 30, tzinfo=ZONE)),
        ("1.5h", datetime(2026, 11, 21, 8, 0, tzinfo=ZONE)),
        ("3d", datetime(2026, 11, 18, 9, 30, tzinfo=ZONE)),
        ("2W", datetime(2026, 11, 7, 9, 30, tzinfo=ZONE)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=ZONE)),
    ],
)
def test_a_moment_by_the_clock_on_the_wall(said: str, meant: datetime) -> None:
    assert since(said, NOW) == meant


@pytest.mark.parametrize("said", ["8", "", "soon", "-3d", "2026-02-30", "999999999999d", "3 d", "2026-11-22"])
def test_what_means_no_moment_that_has_been_is_refused_with_the_ways_to_say_it(said: str) -> None:
    with pytest.raises(UsageError) as error:
        since(said, NOW)
    assert "8h" in error.value.hint


def test_a_bare_number_is_told_to_lack_its_unit() -> None:
    with pytest.raises(UsageError, match="'8' has no unit"):
        since("8", NOW)
