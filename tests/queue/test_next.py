"""`queue next`, as a script calls it: what it prints, and what it writes down on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.queue import next as queue_next
from ctexp.queue.journal import Event, uptime
from ctexp.queue.orders import Cost
from tests.queue.written import Writer, based, gated, job, queue

Told = tuple[int, str, str]


class Place:
    """A queue that has begun, without a window and a reserve."""

    def __init__(self, root: Path, *jobs: Any, **changes: Any) -> None:
        made = queue(root / "runs", jobs, **{"disk_reserve_bytes": 0} | changes)
        self.path = made.path
        self.writer = Writer(made)
        self.writer.begin(closes_uptime=None)

    def events(self, *kinds: str) -> list[Event]:
        return [event for event in self.writer.journal.read() if event["kind"] in kinds]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[Place], Told]:
    """The exit code, and what it said on either stream."""

    def asked(place: Place) -> Told:
        monkeypatch.setenv("CTEXP_QUEUE_DIR", str(place.path))
        code = queue_next.main([])
        said = capfd.readouterr()
        return code, said.out, said.err

    return asked


def test_a_key_a_line_until_nothing_is_left(tmp_path: Path, ask: Callable[[Place], Told]) -> None:
    place = Place(tmp_path, job("a"), job("b", fallback={"oom": ("x=1",)}))
    assert ask(place) == (0, "a-s1\n", "")
    place.writer.done("a-s1")
    assert ask(place) == (0, "b-s1\n", "")
    place.writer.start("b-s1")
    place.writer.end("b-s1", state="failed", cause="oom")
    assert ask(place) == (0, "b-s1:oom\n", "")
    place.writer.start("b-s1", 2, fallback="oom")
    place.writer.end("b-s1", 2)
    assert ask(place) == (0, "", "")


def test_gates_and_bases_are_decided_and_skips_written_down_on_the_way(
    tmp_path: Path, ask: Callable[[Place], Told]
) -> None:
    place = Place(tmp_path, job("a"), gated("b", "a"), job("c", needs=("b",)), based("d", "a"))
    place.writer.start("a-s1")
    place.writer.end("a-s1", state="failed", cause="diverged")
    code, key, said = ask(place)
    assert (code, key) == (0, "")
    assert said.splitlines() == [
        "b-s1: skipped, val/macro_f1 of a is not known: no finished run tells",
        "c-s1: skipped, needs b: b-s1 was skipped",
        "d-s1: skipped, no run of a has finished",
    ]
    assert [(e["what"], e["experiment"]) for e in place.events("decision")] == [("gate", "b"), ("base", "d")]
    assert [(e["job"], e["why"]) for e in place.events("skip")] == [
        ("b-s1", "gate"),
        ("c-s1", "need"),
        ("d-s1", "base"),
    ]
    before = len(place.writer.journal.read())
    assert ask(place) == (0, "", "")
    assert len(place.writer.journal.read()) == before


def test_what_the_window_is_meant_for_is_written_down_when_it_changes(
    tmp_path: Path, ask: Callable[[Place], Told]
) -> None:
    costs = {"a-s1": Cost(3000, 3300), "b-s1": Cost(600, 700), "c-s1": Cost(600, 700), "d-s1": Cost(600, 700)}
    jobs = [job("a"), *(job(name, worth=5) for name in ("b", "c", "d"))]
    place = Place(tmp_path, *jobs, costs=costs, analysis_seconds=0.0, grace_seconds=0.0)
    place.writer.begin(closes_uptime=uptime() + 3600)
    code, key, said = ask(place)
    assert (code, key) == (0, "b-s1\n")
    [pack] = place.events("pack")
    assert (pack["order"], [one["job"] for one in pack["left_out"]]) == (["b-s1", "c-s1", "d-s1"], ["a-s1"])
    left_out = "left out of the window: a-s1 (p90 55 min 00 s), with "
    assert said.startswith(left_out)
    assert ask(place)[1:] == ("b-s1\n", "")
    place.writer.start("b-s1")
    place.writer.end("b-s1", seconds=600.0)
    assert ask(place)[1:] == ("c-s1\n", ""), "nothing has changed: nothing is told again"
    place.writer.start("c-s1")
    place.writer.end("c-s1", seconds=1300.0)
    place.writer.begin(closes_uptime=uptime() + 3600 - 1900)
    code, key, said = ask(place)
    assert key == "d-s1\n"
    assert said.rstrip().endswith("the 2 jobs done took 1.47 times what was expected")
    # Nothing of this is news to those who read an old journal, nor is anything lost by it.
    assert len(place.events("pack")) == 2
    assert place.events("skip") == []


def test_an_attempt_whose_runner_died_is_settled_and_tried_again(
    tmp_path: Path, ask: Callable[[Place], Told]
) -> None:
    place = Place(tmp_path, job("a"))
    for number in (1, 2):
        place.writer.start("a-s1", number)
        assert ask(place)[1] == ("a-s1\n" if number == 1 else "")
        end = place.events("end")[-1]
        assert (end["attempt"], end["state"], end["recovered"]) == (number, "interrupted", True)


def test_a_disk_without_room_ends_the_night(tmp_path: Path, ask: Callable[[Place], Told]) -> None:
    costs = {"a-s1": Cost(disk_bytes=10**18)}
    place = Place(tmp_path, job("a"), costs=costs)
    code, key, said = ask(place)
    assert (code, key) == (5, "")
    assert "a-s1 needs 1000000000.0 GB" in said
    assert said.strip() == place.events("note")[-1]["text"]


def test_it_takes_keys_with_pids_alone() -> None:
    with pytest.raises(UsageError):
        queue_next.main(["a-s1"])


def test_a_night_without_a_beginning_begins_nothing(tmp_path: Path, ask: Callable[[Place], Told]) -> None:
    place = Place(tmp_path, job("a"))
    place.writer.journal.path.unlink()
    with pytest.raises(DataError, match="the beginning of this night is gone"):
        ask(place)
