"""What a journal's events amount to, job by job."""

from typing import Any

import pytest

from ctexp.queue.state import Night, finished, fold
from tests.queue.stories import orders
from tests.queue.written import job

PLAN = orders([job("a"), job("a", seed=2), job("b")])


def told(*events: tuple[str, dict[str, Any]]) -> Night:
    return fold(PLAN, ({"seq": seq, "kind": kind, **fields} for seq, (kind, fields) in enumerate(events, 1)))


def start(attempt: int, job: str = "a-s1", **fields: Any) -> tuple[str, dict[str, Any]]:
    return "start", {"job": job, "attempt": attempt, "mode": "new", "run": None, "deviations": []} | fields


def end(attempt: int, job: str = "a-s1", state: str = "done", **fields: Any) -> tuple[str, dict[str, Any]]:
    return "end", {"job": job, "attempt": attempt, "state": state} | fields


def about(kind: str, job: str = "a-s1", **fields: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"job": job} | fields


def test_a_job_fails_and_is_done_by_another_attempt() -> None:
    events = [
        start(1),
        end(1, state="failed", cause="oom", reason="no memory"),
        start(2, fallback="oom", mode="resume", run="r1"),
        end(2, run="r2"),
    ]
    waits, works, failed, again, done = (told(*events[:length]).jobs["a-s1"] for length in range(5))
    assert (waits.state, waits.at, waits.open, waits.run, waits.device) == ("pending", 0, None, None, None)
    assert (works.state, works.at) == ("running", 1)
    assert works.open is works.attempts[0]
    assert (failed.state, failed.kind, failed.reason, failed.open) == ("failed", "oom", "no memory", None)
    assert (again.state, again.kind, again.reason, again.run) == ("running", None, "", "r1")
    assert again.open is not None
    assert (again.open.number, again.open.mode, again.open.fallback) == (2, "resume", "oom")
    assert (done.state, done.kind, done.reason, done.at, done.run) == ("done", None, "", 4, "r2")
    assert [attempt.end is not None for attempt in done.attempts] == [True, True]
    assert told(*events).jobs["b-s1"].state == "pending"


def test_the_run_of_a_job_is_the_newest_that_is_known() -> None:
    night = told(start(1), end(1, state="interrupted", run="r1"), start(2))
    assert night.jobs["a-s1"].run == "r1"
    assert night.jobs["b-s1"].run is None


def test_departures_from_the_plan_are_told_once_each() -> None:
    window, memory = "window: 3 of 9 epochs", "oom: half the batch"
    events = [
        start(1, deviations=[window, memory]),
        end(1, state="interrupted", run="r1"),
        start(2, run="r1", deviations=[memory]),
    ]
    same = told(*events).jobs["a-s1"]
    assert same.deviations == [window, memory]
    assert same.shortened, "its run was given less time, whichever attempt works on it"
    other = told(*events, end(2, state="failed", run="r1"), start(3, run="r2")).jobs["a-s1"]
    assert not other.shortened
    assert not told(start(1, deviations=[memory])).jobs["a-s1"].shortened
    unnamed = told(start(1, deviations=[window]), end(1, state="failed"), start(2)).jobs["a-s1"]
    assert not unnamed.shortened, "of two runs that nobody knows neither is the other"


def test_what_is_skipped_or_dropped_says_why() -> None:
    skipped = told(about("skip", why="gate", reason="b is too bad")).jobs["a-s1"]
    assert (skipped.state, skipped.kind, skipped.reason) == ("skipped", "gate", "b is too bad")
    assert not skipped.cancelled
    for before in ([], [start(1), end(1, state="interrupted", cause="killed")]):
        dropped = told(*before, about("cancel")).jobs["a-s1"]
        assert (dropped.state, dropped.kind, dropped.reason) == ("skipped", "cancelled", "dropped by hand")
        assert dropped.cancelled
    works = told(start(1), about("cancel")).jobs["a-s1"]
    assert (works.state, works.kind, works.cancelled) == ("running", None, True)


def test_a_start_is_asked_for_all_jobs_or_for_some() -> None:
    assert [one.id for one in told().asked] == ["a-s1", "a-s2", "b-s1"]
    assert told().began_at == 0
    night = told(("begin", {"only": ["b-s1"]}), ("begin", {"only": ["a-s2"]}))
    assert [one.id for one in night.asked] == ["a-s2"]
    assert night.began_at == 2
    assert len(told(("begin", {"only": None})).asked) == 3


def test_what_is_no_jobs_is_kept_by_name() -> None:
    night = told(
        ("begin", {}),
        ("decision", {"what": "gate", "experiment": "b", "passed": False}),
        ("decision", {"what": "base", "experiment": "b", "run": "r"}),
        ("decision", {"what": "gate", "experiment": "b", "passed": True}),
        ("step", {"name": "report", "exit_code": 1}),
        ("step", {"name": "report", "exit_code": 0}),
        ("pack", {"jobs": []}),
        ("close", {"exit_code": 0}),
        about("place", device="cuda:1"),
    )
    assert {key: event["seq"] for key, event in night.decisions.items()} == {
        ("gate", "b"): 4,
        ("base", "b"): 3,
    }
    assert night.steps["report"]["exit_code"] == 0
    assert [event["seq"] for event in (*night.begins, *night.packs, *night.closes)] == [1, 7, 8]
    assert night.jobs["a-s1"].device == "cuda:1"
    assert [one.state for one in night.jobs.values()] == ["pending"] * 3


@pytest.mark.parametrize("state", ["failed", "timeout", "interrupted"])
def test_of_an_experiment_the_runs_of_done_jobs_count(state: str) -> None:
    night = told(
        *(start(1), start(1, "a-s2"), start(1, "b-s1")),
        *(end(1, run="r2"), end(1, "a-s2", run="r1"), end(1, "b-s1", state=state, run="r0")),
    )
    assert [one.id for one in night.of(PLAN, "a")] == ["a-s1", "a-s2"]
    assert finished(night.jobs.values()) == ["r1", "r2"]
    assert finished(told(start(1), end(1)).jobs.values()) == [], "one whose run nobody named"
