import json
import re
from pathlib import Path

import pytest

from ctexp.record.events import EventLog, read


def test_events_carry_their_number_their_utc_time_and_what_happened(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.write("start", attempt=1)
    log.write("checkpoint", path=Path("last.ckpt"), epoch=0, shape=(1, 2))
    first, second = (json.loads(line) for line in log.path.read_text().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {"seq": 1, "kind": "start", "attempt": 1}
    assert {"seq": 2, "kind": "checkpoint", "path": "last.ckpt", "shape": [1, 2]}.items() <= second.items()


def test_a_later_attempt_goes_on_counting(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).write("start")
    EventLog(path).write("resume")
    events, problems = read(path)
    assert [(event["seq"], event["kind"]) for event in events] == [(1, "start"), (2, "resume")]
    assert problems == []


def test_a_loss_that_is_not_finite_can_be_told(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.write("diverged", loss=float("nan"), recent=[1.0, float("-inf")], what="caf\udce9")
    (event,) = read(log.path).events
    assert (event["loss"], event["recent"], event["what"]) == ("nan", [1.0, "-inf"], "caf\udce9")


def test_an_event_cannot_forge_its_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seq"):
        EventLog(tmp_path / "events.jsonl").write("x", seq=7)


@pytest.mark.parametrize("tail", [b"", b"\0" * 7], ids=["cut", "zero-filled"])
def test_a_file_torn_at_any_byte_loses_one_event_at_most_and_goes_on(tail: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for kind in ("start", "épöch", "end"):
        EventLog(path).write(kind)
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut] + tail)
        ended = whole[:cut].count(b"\n")
        torn = read(path)
        assert [event["seq"] for event in torn.events][:ended] == list(range(1, ended + 1))
        assert len(torn.events) + len(torn.problems) <= ended + 1
        assert all(f"line {ended + 1} is torn" in problem for problem in torn.problems)
        EventLog(path).write("resume")
        after = read(path)
        assert after.events[:-1] == torn.events
        assert (after.events[-1]["kind"], after.events[-1]["seq"]) == ("resume", len(torn.events) + 1)
        assert len(after.problems) == len(torn.problems)


def test_a_missing_file_holds_no_events(tmp_path: Path) -> None:
    assert read(tmp_path / "events.jsonl") == ([], [])
