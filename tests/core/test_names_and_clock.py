"""Names that are safe everywhere, suggestions that help, durations that read at a glance."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ctexp.core import clock, names
from ctexp.core.errors import CtexpError, Stopped, UsageError


@pytest.mark.parametrize("name", ["a", "0", "resnet-50_x", "a" * 64])
def test_a_name_that_is_safe_in_paths_shells_and_trackers(name: str) -> None:
    assert names.check_id(name, "run.name") == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/b", "..", "a\n", "$(x)", "ü", "a" * 65])
def test_any_other_name_is_refused_by_what_it_names(name: str) -> None:
    with pytest.raises(UsageError, match=r"run\.name"):
        names.check_id(name, "run.name")


def test_the_nearest_name_is_suggested_and_few_are_listed() -> None:
    assert names.did_you_mean("resnett50", ["resnet50", "vit"]) == "did you mean 'resnet50'?"
    assert names.did_you_mean("x", ["b", "a"]) == "choose one of: a, b"
    assert names.did_you_mean("x", []) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert clock.duration(seconds) == text


def test_times_are_utc_whatever_the_zone() -> None:
    moment = datetime(2026, 3, 1, 0, 30, 5, 123_456, timezone(timedelta(hours=2)))
    assert clock.iso(moment) == "2026-02-28T22:30:05.123Z"
    assert clock.stamp(moment) == "20260228-223005"
    assert clock.now().tzinfo is UTC


def test_what_was_typed_cannot_write_on_the_terminal_as_it_likes() -> None:
    line = UsageError("a\x1b[2Jb\u202e\0: no\nkey", "caf\xe9").lines()
    assert line == ["UsageError: a\\x1b[2Jb\\u202e\\x00: no key -> caf\xe9"]


def test_errors_are_one_line_a_problem_with_the_next_action_last() -> None:
    error = UsageError(["a: wrong\nhere", "b: wrong"], "do this")
    assert error.lines() == ["UsageError: a: wrong here", "UsageError: b: wrong -> do this"]
    assert Stopped(15).exit_code == 143
    codes = {kind.__name__: kind.exit_code for kind in CtexpError.__subclasses__()}
    assert codes == {
        "UsageError": 2,
        "DataError": 3,
        "PreflightError": 4,
        "ProcessLost": 1,
        "StorageError": 5,
        "MemoryExhausted": 10,
        "Diverged": 11,
        "CriterionNotMet": 12,
        "Busy": 75,
        "TimeBudgetUsed": 124,
        "Stopped": 1,
    }
