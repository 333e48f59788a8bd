import json
import multiprocessing
import os
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctexp.core import clock
from ctexp.core.errors import DataError, StorageError
from ctexp.queue.journal import Damaged, Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold, one_end
from tests.full_disk import largest_file
from tests.queue.stories import orders
from tests.queue.written import job


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Five events, the last of them long, with everything text can hold."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("begin", pid=1)
    journal.append("start", job="a-s1", attempt=1, mode="new")
    journal.append("end", job="a-s1", attempt=1, state="done", cause=None)
    journal.append("note", text='quotes " and \\ and\nlines, ünïcödé 🫁, \udcff, "crc": "00000000"}')
    journal.append("note", text="x" * 200)
    return journal


def texts(journal: Journal) -> list[str]:
    return [event["kind"] for event in journal.read()]


ALL = ["begin", "start", "end", "note", "note"]


def test_events_come_back_as_they_were_told_in_order_and_numbered(journal: Journal) -> None:
    events = journal.read()
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert events[3]["text"].encode("utf-8", "backslashreplace").startswith(b'quotes " and \\ and\nlines')
    assert events[2] | {"job": "a-s1", "state": "done", "cause": None} == events[2]
    assert all(json.loads(line)["uptime"] > 0 for line in journal.path.read_text().splitlines())


def test_nothing_is_there_before_the_first_event(tmp_path: Path) -> None:
    assert Journal(tmp_path / "journal.jsonl").read() == []


def test_a_tail_torn_at_any_byte_is_passed_over_then_cut_off_and_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    for kind in ALL[:2]:
        journal.append(kind, x="é")
    content = journal.path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == 10]
    for length in range(len(content)):
        journal.path.write_bytes(content[:length])
        whole = sum(end <= length for end in ends)
        assert texts(journal) == ALL[:whole]
        event = journal.append("note", text="after")
        assert event["seq"] == whole + 1
        assert texts(journal) == [*ALL[:whole], "note"]
        kept = list(journal.path.parent.glob("*.torn-*"))
        torn = content[max([0, *(end for end in ends if end <= length)]) : length]
        assert [file.read_bytes() for file in kept] == ([torn] if torn else [])
        for file in kept:
            file.unlink()


@pytest.mark.parametrize("zeros", [1, 100, 5000])
@pytest.mark.parametrize("newline", [b"", b"\n"])
@pytest.mark.parametrize("keep", [1.0, 0.9])
def test_a_tail_of_zeros_as_a_power_cut_leaves_it_is_cut_off(
    journal: Journal, zeros: int, newline: bytes, keep: float
) -> None:
    content = journal.path.read_bytes()
    content = content[: int(len(content) * keep)]
    journal.path.write_bytes(content + b"\0" * zeros + newline)
    whole = content.count(b"\n")
    assert texts(journal) == ALL[:whole]
    journal.append("note", text="after")
    assert texts(journal) == [*ALL[:whole], "note"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_in_the_middle_are_never_believed(journal: Journal, data: st.DataObject) -> None:
    original = journal.path.read_bytes()
    try:
        lines = original.splitlines(keepends=True)
        at = data.draw(st.integers(0, len(original) - len(lines[-1]) - 1))
        length = data.draw(st.integers(1, 20))
        noise = data.draw(st.binary(min_size=length, max_size=length))
        changed = original[:at] + noise + original[at + length :]
        journal.path.write_bytes(changed)
        journal = Journal(journal.path)  # one that has not read it before
        if changed == original:
            return
        if at + length >= len(original) - len(lines[-1]):
            # The last line is hit as well, or runs into the one before: what was hit counts as torn.
            assert len(_read_or_damaged(journal)) < len(ALL)
            return
        with pytest.raises(Damaged):
            journal.read()
        with pytest.raises(Damaged):
            journal.append("note", text="on top of it")
        assert journal.path.read_bytes() == changed, "nothing is written over it"
    finally:
        journal.path.write_bytes(original)


def _read_or_damaged(journal: Journal) -> list[str]:
    try:
        return texts(journal)
    except Damaged:
        return []


def test_a_line_that_is_gone_or_stands_twice_is_damage(journal: Journal) -> None:
    lines = journal.path.read_bytes().splitlines(keepends=True)
    for wrong in (lines[:2] + lines[3:], lines[1:], lines[:3] + lines[2:], lines[::-1]):
        journal.path.write_bytes(b"".join(wrong))
        with pytest.raises(Damaged, match="not as it was written"):
            Journal(journal.path).read()


@pytest.mark.parametrize("number", [1, 3, 4])
def test_damage_is_told_with_its_line_and_the_rest_can_be_salvaged(journal: Journal, number: int) -> None:
    lines = journal.path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = b"#" + lines[number - 1]
    journal.path.write_bytes(b"".join(lines))
    fresh = Journal(journal.path)
    with pytest.raises(Damaged, match=f"line {number} is not as it was written"):
        fresh.read()
    assert [event["seq"] for event in fresh.salvaged()] == [seq for seq in range(1, 6) if seq != number]
    assert Journal(journal.path.with_name("nothing")).salvaged() == []


def test_a_line_too_many_is_told_with_its_number(journal: Journal) -> None:
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(Damaged, match="line 6 is not"):
        journal.read()


def test_an_event_is_on_the_disk_before_anything_is_done_about_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    journal.append("note", text="safe")
    assert synced == [journal.path.stat().st_size]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(-60, 3), max_size=6))
def test_one_that_has_read_it_before_says_what_others_read(journal: Journal, steps: list[int]) -> None:
    """Others write more lines of it, or cut some off that they could not end."""
    for step in steps:
        if step > 0:
            Journal(journal.path).extend([{"kind": "note", "text": f"{step}"}] * step)
        else:
            content = journal.path.read_bytes()
            journal.path.write_bytes(content[: max(0, len(content) + step)])
        assert journal.read() == Journal(journal.path).read()


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        for read in (Journal(path).read, Journal(path).salvaged):
            with pytest.raises(DataError, match=f"{path}: cannot be read"):
                read()


def _write(path: Path, who: int) -> None:
    journal = Journal(path)
    for number in range(25):
        journal.append("note", text=f"{who} {number}")
        if number % 5 == 0:
            journal.extend([{"kind": "note", "text": f"{who} more"}] * 2)


def test_eight_processes_write_without_losing_or_mixing_anything(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(path, who)) for who in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    events = Journal(path).read()
    assert [event["seq"] for event in events] == list(range(1, 8 * 35 + 1))
    for who in range(8):
        told = [event["text"] for event in events if event["text"].startswith(f"{who} ")]
        assert [text for text in told if "more" not in text] == [f"{who} {number}" for number in range(25)]
    assert list(tmp_path.glob("*.torn-*")) == []


def test_a_full_disk_leaves_the_journal_as_it_was(journal: Journal) -> None:
    before = journal.path.read_bytes()
    for room in (0, 1, 50):
        with largest_file(len(before) + room), pytest.raises(StorageError) as raised:
            journal.append("note", text="y" * 500)
        assert raised.value.exit_code == 5
        assert journal.path.read_bytes() == before
    journal.append("note", text="y" * 500)
    assert len(journal.read()) == 6


def test_several_events_are_written_all_or_none_on_a_full_disk(journal: Journal) -> None:
    before = journal.path.read_bytes()
    with largest_file(len(before) + 300), pytest.raises(StorageError):
        journal.extend([{"kind": "note", "text": "z" * 100}] * 5)
    assert journal.path.read_bytes() == before


def test_order_is_by_number_when_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    moment = clock.now()
    for year in (2030, 1999, 2026):
        monkeypatch.setattr(clock, "now", lambda year=year: moment.replace(year=year))
        journal.append("note", text=str(year))
    assert [(event["seq"], event["text"]) for event in journal.read()] == [
        (1, "2030"),
        (2, "1999"),
        (3, "2026"),
    ]
    uptimes = [event["uptime"] for event in journal.read()]
    assert uptimes == sorted(uptimes)


def test_a_check_that_raises_keeps_the_event_out_and_an_attempt_ends_once(journal: Journal) -> None:
    def check(attempt: int) -> None:
        journal.append(
            "end",
            check=one_end("a-s1", attempt),
            job="a-s1",
            attempt=attempt,
            state="failed",
        )

    with pytest.raises(ValueError, match="attempt 1 of a-s1 has ended already"):
        check(1)
    with pytest.raises(ValueError, match="attempt 2 of a-s1 was not begun"):
        check(2)
    assert texts(journal) == ALL


def test_every_prefix_of_a_journal_folds_and_unknown_events_say_nothing(tmp_path: Path) -> None:
    journal, rng = Journal(tmp_path / "journal.jsonl"), random.Random(1)
    jobs = [job("a"), job("b", needs=("a",))]
    for number in range(1, 10):
        journal.append("begin", only=None, closes_uptime=None)
        name = rng.choice(["a-s1", "b-s1", "stranger-s1"])
        journal.append("start", job=name, attempt=number, mode="new", fallback=None, run=None)
        journal.append("what a later version says", job=name, about=[1, {"x": None}])
        journal.append("end", job=name, attempt=number, state="interrupted", cause="killed", reason="")
        journal.append("skip", job="b-s1", why="need", reason="")
    whole = journal.path.read_bytes()
    plan: Orders = orders(jobs)
    for length in range(0, len(whole) + 1, 61):
        journal.path.write_bytes(whole[:length])
        night = fold(plan, journal.read())
        assert set(night.jobs) == {"a-s1", "b-s1"}
        assert sum(one.open is not None for one in night.jobs.values()) <= 1


def test_what_is_no_json_stays_out(journal: Journal) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.append("note", figure=float("nan"))
    assert texts(journal) == ALL


@pytest.mark.parametrize("body", [b'{"seq": "6", "kind": "x"', b'{"seq": 6'])
def test_a_whole_line_that_is_no_event_is_damage_where_others_follow(journal: Journal, body: bytes) -> None:
    line = body + b', "crc": "%08x"}\n' % zlib.crc32(body)
    content = journal.path.read_bytes()
    journal.path.write_bytes(content + line)
    assert texts(journal) == ALL
    journal.path.write_bytes(line + content)
    with pytest.raises(Damaged, match="line 1 is not"):
        Journal(journal.path).read()
