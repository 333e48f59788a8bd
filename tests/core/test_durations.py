"""Durations as people write them."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ctexp.core.durations import UNITS, seconds
from ctexp.core.errors import UsageError


@given(
    st.dictionaries(st.sampled_from(sorted(UNITS)), st.integers(0, 300), min_size=1),
    st.sampled_from([str.lower, str.upper]),
    st.sampled_from(["", " ", "\t"]),
)
def test_every_sum_of_units_is_read(parts: dict[str, int], case: Callable[[str], str], around: str) -> None:
    ordered = sorted(parts.items(), key=lambda part: -UNITS[part[0]])
    said = "".join(f"{number}{unit}" for unit, number in ordered)
    assume(sum(UNITS[unit] * number for unit, number in ordered) <= 366 * UNITS["d"])
    assert seconds(f"{around}{case(said)}{around}") == sum(UNITS[unit] * number for unit, number in ordered)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("1.5h", 5400), ("0s", 0), ("2d", 172_800), ("1h30m", 5400), ("8 h", 28_800), ("1 h 30 m", 5400)],
)
def test_fractions_and_days(said: str, expected: float) -> None:
    assert seconds(said) == expected


@pytest.mark.parametrize("said", ["8", "0", "1.5", "3.14.15"])
def test_a_bare_number_has_no_unit(said: str) -> None:
    with pytest.raises(UsageError, match="has no unit") as caught:
        seconds(said)
    assert "8h" in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        "",
        "h",
        "30m2h",
        "1h1h",
        "8  h",
        "8\th",
        "1 0h",
        "-8h",
        "+8h",
        "1e3s",
        "eight hours",
        "8h\n9m",
        "8h;ls",
        "٨h",
        "infh",
        "367d",
        "9" * 400 + "h",
    ],
)
def test_what_is_no_duration(said: str) -> None:
    with pytest.raises(UsageError, match="duration"):
        seconds(said)
