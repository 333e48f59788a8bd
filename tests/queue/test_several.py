"""Several jobs of a queue at once: what is begun beside what runs, and when the window has no room."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.executors import carry
from ctexp.executors.slots import Device
from ctexp.planning.packing.pack import Length
from ctexp.planning.schedule.walk import walk
from ctexp.queue import next as queue_next
from ctexp.queue.deciding.verdicts import Begin, Held
from ctexp.queue.looking.forecast import Ahead, forecast
from ctexp.queue.orders import Cost, Orders
from ctexp.record.manifest import Estimate
from tests.queue.attempts import Attempts
from tests.queue.stories import Story
from tests.queue.written import Writer, job, queue

GB = 10**9
TWO = (Device("cpu#1", 4 * GB), Device("cpu#2", 4 * GB))
SHARED = (Device("cuda:0", 10 * GB, jobs=3),)


def begun(story: Story, uptime: float = 0.0) -> list[tuple[str, str | None]]:
    """Begin as long as anything can be; the jobs with their devices."""
    found = []
    while isinstance(then := story.choice(uptime).then, Begin):
        story.tell("place", job=then.job, device=then.device, bytes=None)
        story.start(then.job)
        found.append((then.job, then.device))
    return found


def test_as_many_begin_as_there_are_devices_and_the_next_when_one_is_over() -> None:
    story = Story(job("a"), job("b"), job("c"), job("d", needs=("c",)), devices=TWO)
    assert begun(story) == [("a-s1", "cpu#1"), ("b-s1", "cpu#2")]
    assert story.verdicts()["c-s1"] == Held(("a-s1", "b-s1"))
    story.tell("end", job="b-s1", attempt=1, state="done", run="b.1", seconds=1.0, reason="")
    assert begun(story) == [("c-s1", "cpu#2")]
    assert story.verdicts()["d-s1"] == Held(("c-s1",))


def test_jobs_share_a_device_as_far_as_its_memory_goes_in_the_order_of_the_plan() -> None:
    costs = {
        name: Cost(60, 60, need)
        for name, need in [("a-s1", 6 * GB), ("b-s1", 5 * GB), ("c-s1", 3 * GB), ("d-s1", None)]
    }
    story = Story(job("a"), job("b"), job("c"), job("d"), costs=costs, devices=SHARED)
    assert begun(story) == [("a-s1", "cuda:0")], "b has no room beside a, and c does not overtake it"
    story.tell("end", job="a-s1", attempt=1, state="done", run="a.1", seconds=1.0, reason="")
    assert begun(story) == [("b-s1", "cuda:0"), ("c-s1", "cuda:0")]
    for name in ("b", "c"):
        story.tell("end", job=f"{name}-s1", attempt=1, state="done", run=name, seconds=1.0, reason="")
    assert begun(story) == [("d-s1", "cuda:0")]


def test_a_job_without_time_is_skipped_when_nothing_runs_any_more() -> None:
    costs = {"a-s1": Cost(600, 600), "b-s1": Cost(3000, 3000)}
    story = Story(job("a"), job("b"), costs=costs, devices=TWO[:1], analysis_seconds=0.0)
    story.begin(closes_uptime=3500.0)
    assert begun(story) == [("a-s1", "cpu#1")]
    assert story.choice(1000.0).skips == (), "it may be over before anybody expects"
    story.tell("end", job="a-s1", attempt=1, state="done", run="x", seconds=1000.0, reason="", uptime=1000.0)
    assert [skip.job for skip in story.choice(1000.0).skips] == ["b-s1"]


def test_the_window_is_packed_for_all_devices_together() -> None:
    jobs = [job(name) for name in "abcd"]
    costs = {one.id: Cost(1000, 1500) for one in jobs}
    alone = Story(*jobs, costs=costs, analysis_seconds=0.0)
    alone.begin(closes_uptime=3100.0)
    assert alone.choice().packed is not None, "one after the other they take 6000 s at their p90"
    story = Story(*jobs, costs=costs, devices=TWO, analysis_seconds=0.0)
    story.begin(closes_uptime=3100.0)
    assert story.choice().packed is None, "two at once they take 3000 s"
    estimates = {one.id: Estimate(seconds=1000, seconds_p90=1500, basis="x") for one in jobs}
    slots = walk(jobs, estimates, 3100.0, 0.0, "p50", TWO).slots
    assert {name: (slot.begins, slot.ends) for name, slot in slots.items()} == {
        "a-s1": (0.0, 1000.0),
        "b-s1": (0.0, 1000.0),
        "c-s1": (1000.0, 2000.0),
        "d-s1": (1000.0, 2000.0),
    }


def test_ends_are_foreseen_for_each_place() -> None:
    def ahead(name: str, length: float | None, spent: float | None = None) -> Ahead:
        return Ahead(name, None if length is None else Length(length, length), spent)

    line = [ahead("a", 100, 50), ahead("b", 300, 0), ahead("c", 100), ahead("d", 100)]
    assert {name: end.p50 for name, end in forecast(line, places=2).items()} == {
        "a": 50,
        "b": 300,
        "c": 150,
        "d": 250,
    }
    unknown = [ahead("a", None, 50), ahead("b", 300, 0), ahead("c", 100)]
    assert {name: end.p50 for name, end in forecast(unknown, places=2).items()} == {"b": 300, "c": 400}


def asked(queue_dir: Path, words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("CTEXP_QUEUE_DIR", str(queue_dir))
    return queue_next.main(words)


def test_next_waits_for_what_runs_and_settles_what_lost_its_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = queue(tmp_path / "runs", [job("a"), job("b"), job("c")], disk_reserve_bytes=0, devices=TWO)
    writer = Writer(made)
    writer.begin(closes_uptime=None)
    runner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    one = f"a-s1={runner.pid}"
    assert asked(made.path, [one], monkeypatch) == 0
    assert capsys.readouterr().out == "b-s1\n", "a is begun, although its runner has not said so yet"
    lost = subprocess.Popen([sys.executable, "-c", ""])
    lost.wait()
    writer.start("a-s1")
    writer.start("b-s1")
    assert asked(made.path, [one, f"b-s1={lost.pid}"], monkeypatch) == 0
    assert capsys.readouterr().out == "b-s1\n", "nobody is at it: it is tried again"
    [end] = [event for event in writer.journal.read() if event["kind"] == "end"]
    assert (end["job"], end["recovered"]) == ("b-s1", True)
    assert runner.stdin
    runner.stdin.close()
    runner.wait()
    with pytest.raises(UsageError, match="no KEY=PID"):
        asked(made.path, ["a-s1"], monkeypatch)


def test_an_attempt_of_a_cluster_is_carried_there_and_queues_of_before_are_read(
    tmp_path: Path,
) -> None:
    night = Attempts(tmp_path, executor="lab", devices=(Device("lab", None, 2),), elsewhere=True)
    (tmp_path / "conf" / "executor").mkdir(parents=True)
    (tmp_path / "conf" / "config.yaml").touch()
    night.begin()
    night.environment["CTEXP_ROOT"] = str(tmp_path)
    end = night.run("finished")
    assert (end["state"], end["exit_code"]) == ("failed", 2)
    assert "--executor: 'lab' is none" in night.log()
    assert night.starts[0]["argv"][:2] == ["inv", "train"], "the journal has the job's own words"
    assert carry.words_of("lab", "x", ["inv", "train"])[-3:] == ["--", "inv", "train"]

    document = json.loads(night.queue.orders.read_text())
    for key in ("executor", "devices", "elsewhere"):
        del document[key]
    night.queue.orders.write_text(json.dumps(document))
    before = Orders.read(night.queue.orders)
    assert (before.executor, before.devices, before.slots) == ("local", (), 1)
    assert os.environ.get("CTEXP_SLOTS") is None
