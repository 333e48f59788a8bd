"""Between two jobs: a pause, heat, and foreign computations; each for a bounded time, and told."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ctexp.queue.attempting import cooldown
from ctexp.queue.attempting.child import Signals
from ctexp.queue.attempting.cooldown import cool_down
from ctexp.queue.journal import Event, uptime
from ctexp.queue.orders import Orders
from tests.queue.written import Writer, job, queue

GIB = 2**30


class Driver(ModuleType):
    """A driver that tells what the test sets; of those that draw it would raise."""

    NVML_TEMPERATURE_GPU = 0
    NVMLError = type("NVMLError", (Exception,), {})

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.heat: list[int] = [50]
        self.computing: list[tuple[int, int | None]] = []
        self.asked: list[str] = []

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        self.asked.append(uuid)
        return uuid

    def nvmlDeviceGetName(self, _: str) -> str:
        return "a GPU"

    def nvmlDeviceGetUUID(self, handle: str) -> str:
        return handle

    def nvmlDeviceGetMemoryInfo(self, _: str) -> Any:
        return SimpleNamespace(used=1, total=2)

    def nvmlDeviceGetUtilizationRates(self, _: str) -> Any:
        raise self.NVMLError("not supported")

    def nvmlDeviceGetTemperature(self, _: str, __: int) -> int:
        return self.heat.pop(0) if len(self.heat) > 1 else self.heat[0]

    def nvmlDeviceGetComputeRunningProcesses(self, _: str) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in self.computing]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    made = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


class Between:
    """The moment between two jobs."""

    def __init__(self, root: Path) -> None:
        made = queue(root, [job("a"), job("b")])
        self.writer = Writer(made)
        self.writer.begin()
        self.said: list[str] = []
        self.orders = replace(
            Orders.read(made.orders),
            gpu_uuid="GPU-1",
            cool_below=60,
            foreign_bytes=GIB,
            cooldown_seconds=0.6,
        )

    def cool_down(self, latest: float | None = None, **changes: Any) -> float:
        began = time.monotonic()
        events = self.writer.journal.read()
        with Signals() as signals:
            orders = replace(self.orders, **changes)
            journal, say = self.writer.journal, self.said.append
            cool_down(orders, events, journal, signals, say, look_seconds=0.05, latest=latest)
        return time.monotonic() - began

    @property
    def notes(self) -> list[Event]:
        return [event for event in self.writer.journal.read() if event["kind"] == "note"]


@pytest.fixture
def between(tmp_path: Path) -> Between:
    return Between(tmp_path)


def test_a_pause_since_the_last_end_and_none_before_the_first_job(
    between: Between, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert between.cool_down(pause_seconds=0.8) < 0.5
    between.writer.done("a-s1")
    ended = uptime()
    began = time.monotonic()
    monkeypatch.setattr(cooldown, "uptime", lambda: ended + 60 + time.monotonic() - began)
    assert between.cool_down(pause_seconds=60.4) > 0.3
    assert between.cool_down(pause_seconds=60.4) < 0.3
    assert between.notes == []
    assert driver.asked


def test_until_the_gpu_is_cool(between: Between, driver: Driver) -> None:
    driver.heat = [80, 70, 60]
    assert 0.1 <= between.cool_down() < 0.6
    assert between.said == ["waiting for the GPU, at most 0.6 s: 80 °C, to cool down to 60 °C"]
    [note] = between.notes
    assert note["text"].endswith(": 70 °C, to cool down to 60 °C")
    assert set(driver.asked) == {"GPU-1"}


def test_heat_that_stays_holds_nothing_up_for_ever(between: Between, driver: Driver) -> None:
    driver.heat = [90]
    assert 0.6 <= between.cool_down() < 2
    assert "in vain for 0.6 s: 90 °C" in between.notes[0]["text"]
    assert between.cool_down(cool_below=None) < 0.5


def test_a_large_foreign_computation_is_waited_for_once(between: Between, driver: Driver) -> None:
    driver.computing = [(1, 3 * GIB), (2, GIB - 1), (3, None)]
    assert 0.6 <= between.cool_down() < 2
    assert between.said == ["waiting for the GPU, at most 0.6 s: process 1 holds 3.0 GiB"]
    assert between.notes[0]["in_vain_for"] == [1]
    assert between.cool_down() < 0.5
    driver.computing.append((999_999, 2 * GIB))
    assert between.cool_down() >= 0.6


def test_nothing_is_waited_for_beyond_the_moment_the_next_job_has_to_begin(
    between: Between, driver: Driver
) -> None:
    driver.heat = [90]
    assert between.cool_down(latest=uptime() - 1) < 0.2
    assert between.cool_down(latest=uptime() + 0.3) < 0.6
    assert between.said[-1].startswith("waiting for the GPU, at most 0.3 s")
    assert 0.6 <= between.cool_down(latest=uptime() + 60) < 2


def test_our_own_processes_are_not_waited_for(between: Between, driver: Driver) -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        driver.computing = [(os.getpid(), 4 * GIB), (os.getppid(), 4 * GIB), (grandchild, 4 * GIB)]
        waited = between.cool_down()
        os.kill(grandchild, 9)
    assert waited < 0.5


def test_without_a_gpu_or_a_driver_nothing_is_waited_for(
    between: Between, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.heat = [99]
    assert between.cool_down(gpu_uuid=None) < 0.5
    assert driver.asked == []
    monkeypatch.setattr(driver, "nvmlInit", lambda: (_ for _ in ()).throw(driver.NVMLError("gone")))
    assert between.cool_down() < 0.5


@pytest.mark.parametrize("where", [{"mode": "slurm"}, {"elsewhere": True}])
def test_on_a_cluster_nothing_is_waited_for(where: dict[str, Any], between: Between, driver: Driver) -> None:
    driver.heat = [99]
    between.writer.journal.append("end", job="a-s1", attempt=1)
    assert between.cool_down(**where, pause_seconds=10.0) < 0.5
    assert driver.asked == []


def test_a_signal_ends_the_wait(between: Between, driver: Driver) -> None:
    driver.heat = [99]
    # To this thread: a runner has no other, a test's process has, and the kernel would choose among them.
    threading.Timer(0.3, signal.pthread_kill, (threading.get_ident(), signal.SIGTERM)).start()
    began = time.monotonic()
    with Signals() as signals:
        orders = replace(between.orders, cooldown_seconds=30.0)
        cool_down(orders, [], between.writer.journal, signals, between.said.append)
        assert signals.stopped_by == 15
    assert time.monotonic() - began < 5
