"""What cannot be the same process is refused; what can is handed over whole."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import Busy, PreflightError
from ctexp.warm import client, place, sources, wire
from ctexp.warm.request import Request, read_at_import
from tests.waiting import until
from tests.warm.parents import Light, lives, state


def test_without_a_parent_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(client.Refused, match="does not answer"):
        client.start(tmp_path / "none", ["inv"], environment={})


def test_a_parent_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with place.listen(tmp_path / "socket"), pytest.raises(client.Refused, match="does not answer"):
        client.start(tmp_path / "socket", ["inv"], environment={}, patience=0.05)


def test_a_parent_that_hangs_up_before_it_is_said_go_has_begun_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.listen(tmp_path / "socket") as listening:

        def hang_up() -> None:
            line, _ = listening.accept()
            wire.close(wire.receive(line)[1])
            wire.send(line, {"ready": True})
            line.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        received = wire.receive

        def late(line: socket.socket) -> object:
            answer = received(line)
            if threading.current_thread() is threading.main_thread():
                thread.join()
            return answer

        monkeypatch.setattr(wire, "receive", late)
        with pytest.raises(client.Refused, match="does not answer"):
            client.start(tmp_path / "socket", ["inv"], environment={})


def test_a_parent_that_hangs_is_not_waited_for_once_the_child_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "_TELLING", 0.1)
    line, parents = socket.socketpair()
    child = subprocess.Popen(["sleep", "0.2"])
    with parents:
        job = client.WarmJob(line, child.pid, os.pidfd_open(child.pid))
        wire.send(parents, {"said": 12})
        assert job.poll() is None
        assert job.wait(20) == 12
    assert child.wait() == 0


def test_a_source_that_is_being_replaced_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: str) -> None:
        raise FileNotFoundError

    before = sources.stamp()
    monkeypatch.setattr(sources, "_modules", gone)
    assert sources.stamp() != before


def test_under_slurm_it_is_refused(warm: Light) -> None:
    refusal = warm.refusal(environment=warm.environment | {"SLURM_JOB_ID": "7"})
    assert refusal == "under SLURM every job is a process of its own"


def test_variables_that_imports_read_have_to_be_the_same(warm: Light) -> None:
    changed = warm.environment | {"OMP_NUM_THREADS": "7", "CUDA_VISIBLE_DEVICES": "1"}
    changed.pop("MKL_NUM_THREADS", None)
    refusal = warm.refusal(environment=changed)
    assert refusal.startswith("CUDA_VISIBLE_DEVICES, MKL_NUM_THREADS, OMP_NUM_THREADS of the warm")
    assert warm.start("end", environment=warm.environment | {"WANDB_MODE": "offline"}).wait(20) == 0


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "PYTHONHASHSEED", "LD_PRELOAD", "LC_ALL", "HOME"])
def test_what_imports_read(name: str) -> None:
    assert read_at_import(name)


@pytest.mark.parametrize("name", ["CTEXP_PARENT", "WANDB_MODE", "PATH", "PWD", "XDG_RUNTIME_DIR", "SSH_TTY"])
def test_what_is_read_later(name: str) -> None:
    assert not read_at_import(name)


def test_a_request_of_another_version_is_refused(warm: Light) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(warm.socket))
        wire.send(line, {"limits": {}, "what": []})
        assert wire.receive(line)[0]["refused"].startswith("no request")
    assert warm.start("end").wait(20) == 0


def test_nonsense_ends_no_parent(warm: Light) -> None:
    known = Request.of_this_process(["inv"], {}).document() | {"numbers": []}
    wrong = [known | {name: value} for name in known for value in (None, {"a": "b"})]
    nonsense: list[Any] = [None, 3, "x", [known], {}, {"limits": {"x": []}}, *wrong]
    said = [wire.framed(one) for one in nonsense]
    for text in (*said, wire.framed("")[:3], b"\xff" * 9, wire.framed("x" * 9)[:8], b"\0\0\1\0" + b"[" * 256):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(warm.socket))
            socket.send_fds(line, [text], [0])
            line.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                assert b'"pid"' not in line.recv(1000)
    assert warm.start("end").wait(20) == 0


def test_another_installation_is_refused() -> None:
    here = Request.of_this_process(["inv"], {})
    other = Request(**vars(here) | {"installation": ("elsewhere",)})
    assert other.refused_by(here) == f"the warm trainer belongs to {here.installation[-1]}"
    assert here.refused_by(here) == ""
    assert Request(**vars(here) | {"cores": ()}).refused_by(here) == "the warm trainer runs on other cores"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_not_served(warm: Light) -> None:
    ways = [warm.socket, *warm.socket.parents[:3]]
    for path in ways:
        path.chmod(0o777)
    code = (
        "import os, sys; from ctexp.warm import wire, client; import socket\n"
        "line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1]); os.setuid(65534)\n"
        "line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1]); line.settimeout(5)\n"
        "request = client.Request.of_this_process(['inv', 'end'], os.environ, (0,))\n"
        "wire.send(line, request.document(), [0, 0])\n"
        "print(line.recv(100))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(warm.socket)], capture_output=True, text=True, check=False
    )
    for path in ways:
        path.chmod(0o700)
    assert done.stdout == "b''\n" or "ConnectionReset" in done.stderr or "BrokenPipe" in done.stderr
    assert not (warm.project / "begun").exists()
    assert warm.start("end").wait(20) == 0


def test_nothing_is_sent_to_a_stranger_s_parent(warm: Light, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "peer", lambda _line: 65534)
    assert warm.refusal() == f"{warm.socket} belongs to user 65534"


def test_a_second_parent_is_busy_and_a_left_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with place.listen(path), pytest.raises(Busy):
        place.listen(path)
    assert path.exists()
    with place.listen(path):
        assert place.answers(path)
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PreflightError, match="too long"):
        place.listen(tmp_path / ("x" * 120))


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = place.runtime_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(PreflightError, match="not yours alone"):
        place.runtime_folder()


def test_inv_train_hands_over(warm: Light) -> None:
    process = warm.inv("train", "lr=1")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (11, "", "")
    word, pid = (warm.project / "trained").read_text().split()
    assert word == "lr=1"
    assert int(pid) != process.pid


def test_inv_train_runs_fresh_where_it_is_refused(warm: Light) -> None:
    for changes in ({"OMP_NUM_THREADS": "7"}, {"CTEXP_WARM": "/nowhere"}, {"CTEXP_WARM": ""}):
        process = warm.inv("train", "lr=1", **changes)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 11
        assert (warm.project / "trained").read_text() == f"lr=1 {process.pid}"
        assert len(err.splitlines()) == (1 if changes.get("CTEXP_WARM", "x") else 0)
        assert all(line.startswith("in a fresh process: ") for line in err.splitlines())


@pytest.mark.slow
def test_of_several_tasks_none_is_done_twice(warm: Light) -> None:
    process = warm.inv("end", "--how=0", "train")
    process.communicate(timeout=20)
    assert process.returncode == 0, "`end` ends the command line"


def test_signals_are_forwarded(light_at: Light) -> None:
    light_at.project.joinpath("tasks.py").write_text(
        light_at.project.joinpath("tasks.py").read_text().replace("    return 11", "    wait.body(None)")
    )
    light_at.begin()
    process = light_at.inv("train")
    light_at.comes("waiting")
    process.send_signal(signal.SIGUSR1)
    light_at.comes("signalled")
    pid = int(light_at.comes("waiting"))
    process.send_signal(signal.SIGTSTP)
    until(lambda: state(pid) == state(process.pid) == "T")
    process.send_signal(signal.SIGCONT)
    until(lambda: state(pid) != "T")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert not lives(int(light_at.comes("worker")))


@pytest.mark.slow
def test_a_killed_training_kills_who_stands_for_it(light_at: Light) -> None:
    light_at.project.joinpath("tasks.py").write_text(
        light_at.project.joinpath("tasks.py").read_text().replace("    return 11", "    wait.body(None)")
    )
    light_at.begin()
    process = light_at.inv("train")
    pid = int(light_at.comes("waiting"))
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    light_at.project.joinpath("waiting").unlink()
    process = light_at.inv("train")
    pid = int(light_at.comes("waiting"))
    process.kill()
    process.communicate(timeout=20)
    until(lambda: not lives(pid))
