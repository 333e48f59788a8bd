"""One holder at a time, whatever the lock's file says."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, StorageError
from ctexp.core.locks import HELD, FileLock, passed_on

HOLD = """
import sys, time
from pathlib import Path
from ctexp.core.locks import HELD, FileLock, passed_on
with FileLock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not FileLock(path, "the run").is_held(), "nobody has ever taken it"
    with FileLock(path, "the run"):
        assert FileLock(path, "the run").is_held()
        with pytest.raises(Busy, match=rf"the run is in use by pid {os.getpid()} \(.*\) since 20"):
            FileLock(path, "the run").acquire()
    assert not FileLock(path, "the run").is_held()
    FileLock(path, "the run").acquire()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert FileLock(path, "it").is_held()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with FileLock(path, "it") as lock:
        assert f"pid {os.getpid()}" in lock.holder()


def test_a_child_that_outlives_its_parent_is_told_from_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path, "it"):
        about = json.loads(path.read_text())
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        path.write_text(json.dumps(about | {"pid": ended.pid}))
        with pytest.raises(Busy, match=rf"by a process that pid {ended.pid} \(.*\) had started before it"):
            FileLock(path, "it").acquire()


def test_a_child_that_keeps_the_lock_of_a_killed_parent_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    start = 'lock = FileLock(Path(sys.argv[1]), "it")\nlock.acquire()\n'
    child = 'print(subprocess.Popen(["sleep", "99"], stdout=2, pass_fds=[lock.fileno()]).pid, flush=True)\n'
    words = [sys.executable, "-c", f"import subprocess\n{HOLD.partition('with')[0]}{start}{child}"]
    with subprocess.Popen([*words, str(path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
    try:
        with pytest.raises(Busy, match=rf"by pid {pid}, which pid {parent.pid} \(.*\) had started before"):
            FileLock(path, "it").acquire()
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1, "command": "init", "since": "ever"}', "[]"])
def test_what_the_file_says_stops_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock"
    path.write_text(text)
    assert not FileLock(path, "it").is_held()
    with FileLock(path, "it"):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_of_many_at_once_one_wins(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(8)
    ]
    said = [process.stdout.readline() for process in started if process.stdout]
    assert sorted(said) == [b""] * 7 + [b"held\n"]
    errors = [process.communicate()[1] for process in started]  # which lets the one that has it go, too
    assert sum(b"Busy" in error for error in errors) == 7


def test_a_child_that_was_passed_a_lock_has_it_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    words = "import sys, time; from pathlib import Path; from ctexp.core.locks import FileLock\n"
    words += "FileLock(Path(sys.argv[1]), 'it').acquire(); print('has it', flush=True); time.sleep(60)"
    lock = FileLock(path, "it")
    with lock:
        environment, descriptors = passed_on(lock, environment=os.environ)
        child = subprocess.Popen(
            [sys.executable, "-c", words, path],
            env=environment,
            pass_fds=descriptors,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "has it\n"
    with pytest.raises(Busy):  # this process let it go, its child did not
        FileLock(path, "it").acquire()
    child.kill()
    child.wait()
    child.stdout.close()
    with FileLock(path, "it"):
        pass


def test_a_descriptor_that_is_not_of_the_lock_helps_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileLock(tmp_path / "other", "that") as other, FileLock(tmp_path / "lock", "it"):
        monkeypatch.setenv(HELD, f"{other.fileno()},999,x")
        with pytest.raises(Busy):
            FileLock(tmp_path / "lock", "it").acquire()


def test_who_is_refused_or_has_it_from_a_parent_keeps_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    before = len(list(Path("/proc/self/fd").iterdir()))
    with FileLock(path, "it") as held:
        with pytest.raises(Busy):
            FileLock(path, "it").acquire()
        monkeypatch.setenv(HELD, str(held.fileno()))
        with FileLock(path, "it"):
            assert FileLock(path, "it").is_held()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    held.release()  # harmless where it is not held any more, or never was
    FileLock(path, "it").release()


def test_a_lock_that_cannot_be_signed_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FileLock(tmp_path / "lock", "it")
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", full_disk)
        with pytest.raises(StorageError, match="no space left"):
            lock.acquire()
    assert not lock.is_held()


def full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_shorter_signature_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", "it") as lock:
        lock.sign("train " * 99)
        lock.sign("prune")
        assert f"pid {os.getpid()} (prune) since 20" in lock.holder()


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 50000, '{"pid": 1}', "[]", f'{{"pid": 1{"0" * 400}, "command": "", "since": ""}}', None],
)
def test_a_file_that_says_nothing_leaves_the_holder_unknown(tmp_path: Path, text: str | None) -> None:
    lock = FileLock(tmp_path / "lock", "it")
    if text is not None:
        lock.path.write_text(text)
    assert lock.holder() == "another process"


def test_a_process_of_somebody_else_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refused(pid: int, signum: int) -> None:
        asked.append((pid, signum))
        raise PermissionError

    with FileLock(tmp_path / "lock", "it") as lock:
        monkeypatch.setattr("os.kill", refused)
        assert lock.holder().startswith(f"pid {os.getpid()} (")
    assert asked == [(os.getpid(), 0)], "asked whether it lives, and told nothing"


def test_of_the_descriptors_of_a_parent_the_one_that_has_the_lock_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    with FileLock(path, "it") as held, path.open() as same, (tmp_path / "other").open("w") as other:
        passed = [987, other.fileno(), same.fileno(), held.fileno()]
        monkeypatch.setenv(HELD, ",".join(map(str, passed)))
        with FileLock(path, "it") as lock:
            assert Path(f"/proc/self/fd/{lock.fileno()}").readlink() == path
        _, descriptors = passed_on(held, environment=os.environ)
        assert descriptors == sorted(passed[1:])


def test_who_has_patience_gets_it(tmp_path: Path) -> None:
    held, wanted = (FileLock(tmp_path / "lock", "it") for _ in range(2))
    held.acquire()
    threading.Timer(0.05, held.release).start()
    wanted.acquire(patience=60)
    wanted.release()
