"""Ends that nobody saw, and journals that are gone: both told by what the runs say of themselves."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import clock
from ctexp.core.errors import Busy
from ctexp.queue import left
from ctexp.queue import settle as settling
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal
from ctexp.queue.opening.rebuild import rebuild
from ctexp.queue.orders import Orders
from ctexp.queue.settle import settle
from ctexp.queue.state import Night, fold
from ctexp.record.manifest import Origin
from ctexp.record.result import Failure
from ctexp.record.run_dir import RunDir
from tests.queue.written import Writer, job, queue
from tests.record import samples

JOBS = (job("a"), job("a", 2), job("b", fallback={"oom": ("data.batch_size=2",)}))


class Place:
    """A queue that has begun."""

    def __init__(self, root: Path) -> None:
        self.runs = root / "runs"
        self.queue: QueueDir = queue(self.runs, JOBS, grace_seconds=0.1)
        self.orders = Orders.read(self.queue.orders)
        self.writer = Writer(self.queue)
        self.writer.begin(closes_uptime=None, commit="c" * 40, patch_sha256=None)

    def run(
        self, name: str, job: str, state: str | None = "finished", hour: int = 1, **changes: Any
    ) -> RunDir:
        """A run of this queue, which ended so; None for one whose end nobody saw."""
        moment = clock.now().replace(hour=hour)
        origin = Origin(plan="night", queue=self.queue.id, job=job)
        run = RunDir.create(self.runs, f"night-{name}", moment)
        samples.begun(run, name=f"night-{name}", origin=origin)
        if state is not None:
            samples.finish(run, state=state, **changes)
        return run

    @property
    def night(self) -> Night:
        return fold(self.orders, Journal(self.queue.journal).read())

    def settled(self) -> Event:
        (event,) = settle(self.queue, self.orders, self.night)
        return event


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_run_that_has_finished_is_done_although_nobody_saw_it(place: Place) -> None:
    place.writer.begin(closes_uptime=None, commit=samples.COMMIT, patch_sha256=samples.HASH)
    place.writer.start("a-s1")
    run = place.run("a", "a-s1")
    event = place.settled()
    assert (event["state"], event["cause"], event["run"], event["recovered"]) == ("done", None, run.id, True)
    assert event["metrics"]["val/macro_f1"]["value"] > 0
    assert event["source_changed"], "since the first start"
    assert settle(place.queue, place.orders, place.night) == [], "once"
    assert "a-s1" not in left_to_do(place.orders, place.night)


@pytest.mark.parametrize(
    ("state", "code", "wanted"),
    [
        (None, 0, ("interrupted", "killed")),
        ("interrupted", 143, ("interrupted", "signal")),
        ("diverged", 11, ("failed", "diverged")),
        ("oom", 10, ("failed", "oom")),
    ],
)
def test_other_ends_are_what_the_run_says(
    place: Place, state: str | None, code: int, wanted: tuple[str, str]
) -> None:
    place.writer.start("a-s1")
    place.run("a", "a-s1", state, exit_code=code)
    event = place.settled()
    assert (event["state"], event["cause"]) == wanted


def test_an_attempt_without_a_run_was_interrupted(place: Place) -> None:
    place.writer.start("a-s1")
    place.run("a", "a-s2")
    event = place.settled()
    assert (event["state"], event["cause"], event["run"]) == ("interrupted", "killed", None)


def test_a_run_of_an_earlier_attempt_is_not_this_ones(place: Place) -> None:
    old = place.run("a", "a-s1", None)
    place.writer.start("a-s1")
    place.writer.end("a-s1", state="interrupted", cause="killed", run=old.id)
    place.writer.start("a-s1", 2)
    assert place.settled()["run"] is None


def test_an_end_that_the_run_had_before_is_not_this_attempts(place: Place) -> None:
    error = Failure(kind="RuntimeError", message="broken")
    run = place.run("a", "a-s1", "failed", exit_code=1, failure="RuntimeError", error=error)
    place.writer.start("a-s1")
    place.writer.end("a-s1", state="failed", cause="other", run=run.id)
    mark = left.look(place.runs, JOBS[0], run.id).mark
    place.writer.start("a-s1", 2, mode="resume", run=run.id, mark=mark)
    event = place.settled()
    assert (event["state"], event["cause"], event["run"]) == ("interrupted", "killed", run.id)


HOLD = """
import sys, time
from pathlib import Path
from ctexp.core.locks import FileLock
with FileLock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(run: RunDir, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", HOLD, str(run.path / "lock"), str(seconds)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_training_that_writes_its_checkpoint_is_waited_for(place: Place) -> None:
    place.writer.start("a-s1")
    run = place.run("a", "a-s1", None)
    training = hold(run, 0.7)
    try:
        assert place.settled()["run"] == run.id
        assert training.poll() is not None
    finally:
        training.kill()
        training.communicate()


def test_a_training_that_does_not_end_stops_the_night(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_LONGER_THAN_GRACE", 0.2)
    place.writer.start("a-s1")
    training = hold(place.run("a", "a-s1", None), 60)
    try:
        with pytest.raises(Busy, match=f"still at work: pid {training.pid}"):
            place.settled()
        assert place.night.jobs["a-s1"].open is not None
    finally:
        training.kill()
        training.communicate()


def test_a_journal_that_is_gone_is_made_anew_from_the_runs(place: Place) -> None:
    place.run("a", "a-s1", hour=1)
    place.run("a", "a-s2", "interrupted", hour=2, exit_code=143)
    place.run("b", "b-s1", "oom", hour=3, exit_code=10)
    place.run("b-oom", "b-s1", "finished", hour=4)
    stranger = RunDir.create(place.runs, "night-a")
    samples.begun(stranger, name="night-a")
    place.queue.journal.unlink()

    rebuild(place.queue, place.orders)
    night = place.night
    assert {name: job.state for name, job in night.jobs.items()} == {
        "a-s1": "done",
        "a-s2": "interrupted",
        "b-s1": "done",
    }
    assert [one.fallback for one in night.jobs["b-s1"].attempts] == [None, "oom"]
    assert left_to_do(place.orders, night) == ["a-s2"]
    note, *told = Journal(place.queue.journal).read()
    assert note["text"] == "there was no journal: made from 4 runs of this queue"
    assert {event["source_changed"] for event in told if event["kind"] == "end"} == {False}, "it is unknown"


def test_a_journal_that_was_made_anew_in_part_is_made_whole(place: Place) -> None:
    place.run("a", "a-s1", hour=1)
    place.run("a", "a-s2", hour=2)
    place.queue.journal.unlink()
    rebuild(place.queue, place.orders)
    lines = place.queue.journal.read_bytes().splitlines(keepends=True)
    for count in range(len(lines)):
        place.queue.journal.write_bytes(b"".join(lines[:count]))
        rebuild(place.queue, place.orders)
        settle(place.queue, place.orders, place.night)
        assert [len(job.attempts) for job in place.night.jobs.values()] == [1, 1, 0]
        assert left_to_do(place.orders, place.night) == ["b-s1"]


def test_what_has_finished_stays_so_although_the_clock_was_set_back(place: Place) -> None:
    place.run("a", "a-s1", "interrupted", hour=5, exit_code=143)
    place.run("a", "a-s1", "finished", hour=1)
    place.queue.journal.unlink()
    rebuild(place.queue, place.orders)
    assert place.night.jobs["a-s1"].state == "done"


def test_a_shortened_training_is_done_when_its_time_is_up_also_after_an_interruption(place: Place) -> None:
    run = place.run("a", "a-s1", "interrupted", exit_code=143)
    place.writer.start("a-s1", deviations=["window: trainer.max_minutes=5 (needs 9 min)"])
    place.writer.end("a-s1", state="interrupted", run=run.id)
    mark = left.look(place.runs, JOBS[0], run.id).mark
    place.writer.start("a-s1", 2, mode="resume", run=run.id, mark=mark)
    samples.finish(run, state="timeout", exit_code=124, attempt=2)
    assert place.settled()["state"] == "done"


def test_a_new_queue_has_nothing_to_be_made_from(place: Place) -> None:
    place.queue.journal.unlink()
    assert rebuild(place.queue, place.orders) == []
    assert not place.queue.journal.exists()
