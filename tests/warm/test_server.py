"""Nobody's death leaves anything behind, and nobody waits for another."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ctexp.warm import client
from ctexp.warm.parent import Parent
from tests.waiting import until
from tests.warm.parents import Light, lives


def waiting(warm: Light) -> tuple[client.WarmJob, int, int]:
    """A job on its way: itself, its process, and one that it has started."""
    job = warm.start("wait")
    return job, int(warm.comes("waiting")), int(warm.comes("worker"))


def test_twenty_clients_at_once(warm: Light) -> None:
    jobs = [warm.start("end", f"--how={number}") for number in range(20)]
    assert [job.wait(60) for job in jobs] == list(range(20))
    assert len({job.pid for job in jobs}) == 20


def test_a_killed_client_takes_its_job_with_it(warm: Light) -> None:
    job, pid, worker = waiting(warm)
    job.close()
    until(lambda: not lives(pid) and not lives(worker))
    assert warm.start("end", "--how=4").wait(20) == 4


def test_a_killed_child_leaves_nothing_behind(warm: Light) -> None:
    job, pid, worker = waiting(warm)
    os.kill(pid, signal.SIGKILL)
    assert job.wait(20) == -signal.SIGKILL
    until(lambda: not lives(worker))
    assert warm.start("end", "--how=4").wait(20) == 4


def test_a_killed_parent_asks_its_children_to_end(light_at: Light) -> None:
    made = light_at.begin()
    job, pid, worker = waiting(light_at)
    assert made._process is not None
    os.kill(made.pid, signal.SIGKILL)
    assert job.wait(20) == 143, "the child had told its exit code"
    until(lambda: not lives(pid))
    os.kill(worker, signal.SIGKILL)  # left to whom it belongs, as after a fresh process
    assert "does not answer" in light_at.refusal()


@pytest.mark.slow
def test_a_child_that_dies_with_the_parent_counts_as_killed(light_at: Light) -> None:
    made = light_at.begin()
    job, pid, worker = waiting(light_at)
    assert made._process is not None
    os.kill(pid, signal.SIGSTOP)
    os.kill(made.pid, signal.SIGKILL)
    made._process.wait()
    os.kill(worker, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    assert job.wait(20) == -signal.SIGKILL


@pytest.mark.slow
def test_it_ends_with_its_owner_and_lets_jobs_end(light_at: Light) -> None:
    owner = subprocess.Popen(["sleep", "60"])
    with Parent(light_at.project, light_at.environment, owner=owner.pid) as made:
        light_at.socket = made.socket
        job, _, _ = waiting(light_at)
        owner.kill()
        owner.wait()
        until(lambda: not made.socket.parent.exists())
        assert "does not answer" in light_at.refusal()
        assert made._process is not None
        assert made._process.poll() is None
        job.send_signal(signal.SIGTERM)
        assert job.wait(20) == 143
        assert made._process.wait(20) == 0


@pytest.mark.slow
def test_asked_twice_it_does_not_wait_for_jobs(light_at: Light) -> None:
    made = light_at.begin()
    job, _, worker = waiting(light_at)
    assert made._process is not None
    os.kill(made.pid, signal.SIGTERM)
    until(lambda: not made.socket.exists())
    assert made._process.poll() is None
    os.kill(made.pid, signal.SIGTERM)
    assert job.wait(20) == 143
    os.kill(worker, signal.SIGKILL)


def test_no_child_is_forked_from_two_threads(light_at: Light) -> None:
    light_at.begin(LIGHT_EXTRA_THREAD="yes")
    assert light_at.refusal() == "the warm trainer has 2 threads"
    assert not (light_at.project / "begun").exists()


@pytest.mark.slow
def test_a_job_on_its_way_goes_on_with_the_old_source(light_at: Light, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("1")
    made = light_at.begin(LIGHT_SOURCE=str(source))
    job, _, _ = waiting(light_at)
    source.write_text("2")
    for _ in range(2):
        assert light_at.refusal() == "the source has changed since the warm trainer began"
    job.send_signal(signal.SIGTERM)
    assert job.wait(20) == 143
    # The same process and the same socket, with new modules.
    assert light_at.start("end", "--how=5").wait(20) == 5
    assert made._process is not None
    assert made._process.poll() is None


@pytest.mark.slow
def test_who_says_nothing_holds_nobody_up_for_long(warm: Light) -> None:
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as gone:
        silent.connect(str(warm.socket))
        gone.connect(str(warm.socket))
        gone.close()
        began = time.monotonic()
        assert warm.start("end", "--how=6").wait(20) == 6
        assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_shell_s_descriptors_are_let_go(light_at: Light, tmp_path: Path) -> None:
    from ctexp.core.locks import FileLock

    lock = FileLock(tmp_path / "lock", "the night")
    with lock:
        os.set_inheritable(lock.fileno(), True)
        light_at.begin()
        light_at.start("end").wait(20)
    assert not lock.is_held()
