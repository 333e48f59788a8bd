import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from ctexp.core.gpu import GpuState
from ctexp.executors import local
from ctexp.executors.local import Local, LocalWork
from ctexp.executors.protocol import Work
from ctexp.executors.settings import LocalSettings

NO_GPU = GpuState(False, (), "", "", None, "")


def work(folder: Path, script: str, **changes: object) -> Work:
    fields: dict[str, object] = {"environment": {"WORD": "said"}}
    return Work("try", ["sh", "-c", script], folder, folder / "logs" / "try.log", **fields | changes)  # type: ignore[arg-type]


ANY = LocalSettings(kind="local", devices="auto", jobs_per_device=1)


def ended(executor: Local, handle: LocalWork) -> int:
    end = time.monotonic() + 20
    while (code := executor.poll(handle)) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return code


def lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def gone(pids: Sequence[int]) -> bool:
    end = time.monotonic() + 5
    while any(lives(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.01)
    return not any(lives(pid) for pid in pids)


def test_all_it_prints_is_in_its_log_and_its_code_is_told(tmp_path: Path) -> None:
    executor = Local(ANY)
    handle = executor.submit(work(tmp_path, "echo $WORD; pwd; echo wrong >&2; exit 3"))
    assert ended(executor, handle) == 3
    assert handle.work.log.read_text().splitlines() == ["said", str(tmp_path), "wrong"]
    assert executor.poll(handle) == 3
    executor.cancel(handle, 0)  # harmless


def test_a_signal_that_killed_it_is_told(tmp_path: Path) -> None:
    executor = Local(ANY)
    assert ended(executor, executor.submit(work(tmp_path, "kill -9 $$"))) == -signal.SIGKILL


def test_nothing_of_it_is_left_when_it_has_ended(tmp_path: Path) -> None:
    executor = Local(ANY)
    handle = executor.submit(work(tmp_path, "sleep 300 & echo $!"))
    assert ended(executor, handle) == 0
    assert gone([int(handle.work.log.read_text())])


@pytest.mark.parametrize(
    ("script", "code"), [("sleep 300", -15), ("trap 'exit 7' TERM; sleep 300 & wait", 7)]
)
def test_asked_to_end_it_ends(tmp_path: Path, script: str, code: int) -> None:
    executor = Local(ANY)
    handle = executor.submit(work(tmp_path, f"echo ready; {script}"))
    _until_ready(handle)
    executor.cancel(handle, 20)
    assert executor.poll(handle) == code


def test_what_does_not_end_when_asked_is_ended(tmp_path: Path) -> None:
    executor = Local(ANY)
    handle = executor.submit(work(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done"))
    _until_ready(handle)
    executor.cancel(handle, 0.2)
    assert executor.poll(handle) == -signal.SIGKILL


def test_descriptors_are_passed_on(tmp_path: Path) -> None:
    executor = Local(ANY)
    with (tmp_path / "given").open("w") as file:
        fd = file.fileno()
        handle = executor.submit(work(tmp_path, f"echo here > /dev/fd/{fd}", descriptors=(fd,)))
        assert ended(executor, handle) == 0
    assert (tmp_path / "given").read_text() == "here\n"


def test_one_training_on_a_gpu_some_on_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "detect_gpus", lambda: GpuState(True, (), "550", "12.4", None, ""))
    assert (Local(ANY).resources().slots, Local(ANY).resources().threads) == (1, None)
    monkeypatch.setattr(local, "detect_gpus", lambda: NO_GPU)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _Memory(64))
    assert (Local(ANY).resources().slots, Local(ANY).resources().threads) == (2, 1)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _Memory(3))
    assert (Local(ANY).resources().slots, Local(ANY).resources().threads) == (1, 2)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _Memory(1))
    assert Local(ANY).resources().slots == 1


class _Memory:
    def __init__(self, gigabytes: int) -> None:
        self.available = gigabytes * 1024**3


def _until_ready(handle: LocalWork) -> None:
    end = time.monotonic() + 20
    while not handle.work.log.exists() or "ready" not in handle.work.log.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
