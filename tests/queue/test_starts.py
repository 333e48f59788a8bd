"""Real starts of a rendered script: many at once, killed anywhere, detached, too early for their window."""

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ctexp.queue.folder import QueueDir, queues
from ctexp.queue.journal import Event, Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.queue.scripted import PLAN, begun, render, scripted_project, start
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return scripted_project(tmp_path / "project")


def only_queue(project: Path) -> QueueDir:
    (queue,) = queues(project / "runs")
    return queue


def events(queue: QueueDir, kind: str) -> list[Event]:
    return [event for event in Journal(queue.journal).read() if event["kind"] == kind]


@contextmanager
def running(project: Path, *flags: str, name: str = "night") -> Iterator[subprocess.Popen[str]]:
    """A night whose first job lasts until this ends."""
    (project / "forever").touch()
    process = begun(project, *flags, name=name)
    try:
        yield process
    finally:
        (project / "forever").unlink()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def at_work(project: Path) -> bool:
    return any(events(queue, "start") for queue in queues(project / "runs"))


@pytest.mark.timeout(600)
def test_of_eight_starts_at_once_one_wins(project: Path) -> None:
    (project / "forever").touch()
    starts = [begun(project) for _ in range(8)]
    until(lambda: sum(one.poll() is not None for one in starts) == 7, 250)
    (winner,) = (one for one in starts if one.poll() is None)
    losers = [one for one in starts if one is not winner]
    assert [one.returncode for one in losers] == [75] * 7
    until(lambda: at_work(project))
    (project / "forever").unlink()
    winner.send_signal(signal.SIGTERM)
    winner.communicate(timeout=60)
    assert winner.returncode == 143
    for loser in losers:
        said = loser.communicate()[1].splitlines()[-1]
        assert re.search(rf"pid {winner.pid} \(bash scripts/night\.sh\) since 20\d\d-\d\d-\d\dT", said), said
        assert said.startswith("Busy: ")
    (begin,) = events(only_queue(project), "begin")
    assert begin["pid"] == winner.pid


def test_another_plan_on_the_same_device_does_not_wait(project: Path) -> None:
    render(project, PLAN.replace("1h", "2h"), "other")
    with running(project) as process:
        until(lambda: at_work(project))
        code, said = start(project, name="other")
        assert code == 75
        assert f"the processor, for nights of this project, is in use by pid {process.pid}" in said
        assert only_queue(project).plan_name == "night"
        again, said = start(project)
        assert again == 75
        assert f"pid {process.pid} (bash scripts/night.sh)" in said


def test_killed_anywhere_a_start_leaves_what_the_next_one_takes_up(project: Path) -> None:
    """From the first moment to the middle of a job; nothing is ever begun twice, or ends twice."""
    took = time.monotonic()
    start(project, "--dry-run")
    took = time.monotonic() - took
    rng = random.Random(7)
    (project / "forever").touch()
    for _ in range(8):
        process = begun(project)
        time.sleep(rng.uniform(0.2, 1.6) * took)
        process.kill()
        process.communicate()
        # What it has started holds the locks until it has ended, too.
        until(lambda: not held(project))
    (project / "forever").unlink()
    code, said = start(project)
    assert code == 12, said
    queue = only_queue(project)
    assert not list(queue.path.parent.glob(".*"))
    starts = [(event["job"], event["attempt"]) for event in events(queue, "start")]
    ends = events(queue, "end")
    assert Counter(starts) == Counter((event["job"], event["attempt"]) for event in ends)
    night = fold(Orders.read(queue.orders), Journal(queue.journal).read())
    assert {name: job.state for name, job in night.jobs.items()} == {"a-s1": "failed", "b-s1": "skipped"}
    assert sum(event["state"] == "failed" for event in ends) == 1
    before = queue.journal.read_bytes()
    assert start(project)[0] == 12
    assert queue.journal.read_bytes() == before


def held(project: Path) -> bool:
    from ctexp.core.locks import FileLock

    folder = project / "runs" / "queues"
    return any(FileLock(path, "it").is_held() for path in [*folder.glob("cpu.lock"), *folder.glob("*/lock")])


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_whoever_insists_still_gets_the_page(project: Path, signum: int) -> None:
    (project / "forever").touch()
    process = begun(project)
    until(lambda: at_work(project))
    while process.poll() is None:
        process.send_signal(signum)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.03)
    process.communicate()
    assert process.returncode == 128 + signum
    (close,) = events(only_queue(project), "close")
    assert close["exit_code"] == 128 + signum
    assert "stopped by SIG" in only_queue(project).night_md.read_text()


def test_detached_it_survives_its_terminal(project: Path) -> None:
    (project / "forever").touch()
    code, said = start(project, "--detach")
    assert code == 0, said
    pid = int(re.search(r"^pid +(\d+)$", said, re.MULTILINE)[1])  # type: ignore[index]
    queue = only_queue(project)
    assert f"queue  {queue.id}" in said
    assert f"stop   kill {pid}" in said
    until(lambda: at_work(project))
    assert os.getsid(pid) == pid, "in a session of its own"
    assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
    assert queue.lock().holder().startswith(f"pid {pid} (bash scripts/night.sh --detach)")
    assert events(queue, "begin")[0]["pid"] == pid
    os.kill(pid, signal.SIGHUP)  # it is delivered first
    (project / "forever").unlink()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not queue.lock().is_held(), 60)
    (close,) = events(queue, "close")
    assert close["exit_code"] == 143
    assert "a-s1" in queue.log.read_text()


def waits(pid: int) -> bool:
    """Whether a program waits for its window: it ignores HUP then, and has a handler of TERM, set last."""
    status = Path(f"/proc/{pid}/status").read_text()
    ignored, caught = (int(status.partition(f"{name}:")[2].split()[0], 16) for name in ("SigIgn", "SigCgt"))
    return bool(ignored & 1 << signal.SIGHUP - 1 and caught & 1 << signal.SIGTERM - 1)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_before_its_window_opens_it_waits_and_can_be_stopped(
    project: Path, signum: signal.Signals, code: int
) -> None:
    later = time.localtime(time.time() + 7200)
    render(project, PLAN.replace("1h", f"from {later.tm_hour:02}:{later.tm_min:02} for 1h"))
    process = begun(project)
    until(lambda: any(events(queue, "begin") for queue in queues(project / "runs")))
    queue = only_queue(project)
    until(lambda: waits(process.pid))
    process.send_signal(signal.SIGHUP)  # a terminal that goes away does not end it
    process.send_signal(signum)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert "the window opens at" in said
    (close,) = events(queue, "close")
    assert (close["exit_code"], close["left"]) == (code, ["a-s1", "b-s1"])
    assert not (project / "called").exists()
