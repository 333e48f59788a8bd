from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ctexp.planning.proposal.filling import MOST, fill, room, taken

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


def change(title: str, minutes: float, looks: int = 0) -> Any:
    """A candidate of which only what filling asks is there: a sweep with so many values."""
    whole = lambda seeds: minutes * (seeds + 2 * looks)  # noqa: E731
    return SimpleNamespace(title=title, minutes=minutes, ways=("way",) * looks, whole=whole)


def test_the_best_come_first_and_a_shorter_one_takes_what_a_longer_one_leaves() -> None:
    ranked = [change("first", 10), change("long", 60), change("short", 5)]

    chosen, left_out = fill(ranked, seeds=3, first=600, seconds=600 + 60 * (30 + 15 + 30))

    assert [one.title for one in chosen] == ["first", "short"]
    assert [one.move for one in left_out] == ["long"]
    assert "6 h" in left_out[0].why


def test_several_changes_leave_room_for_the_confirmation_of_the_best() -> None:
    pair = [change("a", 10), change("b", 10)]

    assert taken(pair[:1], 3) == 30
    assert taken(pair, 3) == 90
    assert [one.title for one in fill(pair, 3, 0, 60 * 89)[0]] == ["a"]


def test_a_sweep_brings_its_own_confirmation() -> None:
    assert taken([change("sweep", 10, looks=3)], 3) == 90
    assert taken([change("sweep", 10, looks=3), change("a", 10)], 3) == 120


def test_no_night_compares_more_than_it_can_decide() -> None:
    chosen, left_out = fill([change(f"c{n}", 0.1) for n in range(9)], 3, 0, 1e6)

    assert len(chosen) == MOST
    assert all("harder to decide" in one.why for one in left_out)


@pytest.mark.parametrize(
    ("window", "seconds", "analysis"),
    [("8h", 8 * 3600 - 720, "10m"), ("20m", 1050, "2m"), ("5m", 210, "1m"), ("30s", 0, "1m")],
)
def test_a_tenth_of_a_short_window_is_for_the_analysis(window: str, seconds: float, analysis: str) -> None:
    there = room(window, NOW)

    assert (there.seconds, there.analysis) == (seconds, analysis)
