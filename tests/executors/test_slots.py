"""Which device a job gets, and that none ever holds more than it may."""

import random
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from pydantic import ValidationError

from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.gpu import Gpu, GpuState
from ctexp.executors.places import devices_of
from ctexp.executors.settings import Device as Declared
from ctexp.executors.settings import LocalSettings
from ctexp.executors.slots import Device, Need, Slots, slots_of

GB = 10**9


def names(devices: list[Device], taken: list[tuple[str, Need]], *needs: Need) -> list[str | None]:
    places = Slots(devices, taken)
    return [device.name if (device := places.take(need)) else None for need in needs]


def test_jobs_spread_over_devices_and_small_ones_share_one() -> None:
    two = [Device("cuda:0", 10 * GB, jobs=2), Device("cuda:1", 10 * GB, jobs=2)]
    assert names(two, [], 4 * GB, 4 * GB, 4 * GB, 4 * GB, GB) == [
        "cuda:0",
        "cuda:1",
        "cuda:0",
        "cuda:1",
        None,
    ]


def test_what_nobody_has_measured_has_its_device_alone() -> None:
    one = [Device("cuda:0", 10 * GB, jobs=3)]
    assert names(one, [("cuda:0", GB)], None) == [None]
    assert names(one, [("cuda:0", None)], GB) == [None]
    assert names(one, [], None) == ["cuda:0"]


def test_processes_that_share_a_gpu_take_more_of_it_than_their_tensors() -> None:
    a_gpu = [Device("cuda:0", 10 * GB, jobs=2, uuid="GPU-1")]
    assert names(a_gpu, [("cuda:0", 5 * GB)], 4_900_000_000) == [None]
    assert names(a_gpu, [("cuda:0", 5 * GB)], 3_700_000_000) == ["cuda:0"]
    assert names(a_gpu, [], 10 * GB) == ["cuda:0"]  # alone it is as it was measured


def test_small_jobs_do_not_keep_a_large_one_out_but_use_what_it_cannot() -> None:
    unlike = [Device("large", 20 * GB, jobs=4), Device("small", 8 * GB, jobs=4)]
    taken: list[tuple[str, Need]] = [("large", 6 * GB)]
    assert names(unlike, taken, 16 * GB, 6 * GB, 6 * GB) == [None, "small", None]


def test_a_cluster_sees_to_memory_itself() -> None:
    assert names([Device("ray", None, jobs=2)], [], None, 99 * GB, None) == ["ray", "ray", None]


@pytest.mark.parametrize("seed", range(20))
def test_no_device_ever_holds_more_than_was_declared(seed: int) -> None:
    dice = random.Random(seed)
    devices = [
        Device(f"cpu#{n}", dice.randint(4, 24) * GB, dice.randint(1, 4)) for n in range(dice.randint(1, 4))
    ]
    most = max(device.memory or 0 for device in devices)
    line: list[Need] = [dice.choice([None, *(dice.randint(1, most) for _ in range(5))]) for _ in range(60)]
    running: list[tuple[str, Need]] = []
    while line or running:
        places = Slots(devices, running)
        begun = [(index, device) for index, need in enumerate(line) if (device := places.take(need))]
        for index, device in reversed(begun):
            running.append((device.name, line.pop(index)))
        for device in devices:
            there = [need for name, need in running if name == device.name]
            assert len(there) <= device.jobs
            assert len(there) == 1 or None not in there
            assert sum(need or 0 for need in there) <= (device.memory or 0)
        assert running, "an empty machine begins something"
        running.pop(dice.randrange(len(running)))
    assert slots_of(devices) >= 1


GPUS = GpuState(True, (Gpu(0, "A", "GPU-0", 24 * GB), Gpu(1, "B", "GPU-1", 12 * GB)), "550", "12.4", None, "")


def settings(devices: object, each: int = 1) -> LocalSettings:
    return LocalSettings.model_validate({"kind": "local", "devices": devices, "jobs_per_device": each})


def test_auto_is_every_gpu_that_cuda_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    both = devices_of(Path(), "local", settings("auto"), GPUS, gpus_each=1)
    assert [(one.name, one.memory, one.uuid) for one in both] == [
        ("cuda:0", 24 * GB, "GPU-0"),
        ("cuda:1", 12 * GB, "GPU-1"),
    ]
    assert devices_of(Path(), "local", settings("auto"), GPUS, gpus_each=0) == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices_of(Path(), "local", settings("auto"), GPUS, gpus_each=1) == ()
    [alone] = devices_of(Path(), "local", settings("auto", each=2), GPUS, gpus_each=1)
    assert (alone.name, alone.jobs) == ("cuda:1", 2)


def test_devices_that_are_named_have_to_be_there_once_each() -> None:
    def named(*names: str, gpus_each: int = 1) -> tuple[Device, ...]:
        given = settings([Declared(name=name, memory="2GB").model_dump() for name in names])
        return devices_of(Path(), "lab", given, GPUS, gpus_each=gpus_each)

    assert [one.uuid for one in named("cuda:1", "cuda:1#2")] == ["GPU-1", "GPU-1"]
    assert [one.uuid for one in named("cpu#1", "cpu#2", gpus_each=0)] == [None, None]
    with pytest.raises(PreflightError, match="cuda:7: this machine has cuda:0, cuda:1"):
        named("cuda:0", "cuda:7")
    with pytest.raises(PreflightError, match="no GPU is among them"):
        named("cpu")
    with pytest.raises(ValidationError, match="cpu stands there twice"):
        named("cpu", "cpu", gpus_each=0)


def test_no_more_memory_is_given_away_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8 * GB))

    def given(**devices: str) -> tuple[Device, ...]:
        listed = [{"name": name.replace("_", ":"), "memory": memory} for name, memory in devices.items()]
        return devices_of(Path(), "lab", settings(listed), GPUS, gpus_each=0)

    assert len(given(**{"cpu#1": "4GB", "cpu#2": "4GB", "cuda_0": "24GB"})) == 3
    with pytest.raises(PreflightError) as caught:
        given(**{"cpu#1": "4GB", "cpu#2": "5GB", "cuda_1": "24GB"})
    assert caught.value.problems == (
        "conf/executor/lab.yaml: devices: cpu: 9.0 GB in all, and it has 8.0 GB",
        "conf/executor/lab.yaml: devices: cuda:1: 24.0 GB in all, and it has 12.0 GB",
    )


def test_jobs_that_train_on_two_gpus_have_them_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    [both] = devices_of(Path(), "local", settings("auto"), GPUS, gpus_each=2)
    assert (both.name, both.memory, both.uuid) == ("cuda:0,1", 12 * GB, "GPU-0,GPU-1")
    with pytest.raises(PreflightError, match=r"trainer\.devices=4: this machine has 2 GPUs"):
        devices_of(Path(), "local", settings("auto"), GPUS, gpus_each=4)
    one = settings([{"name": "cuda:0", "memory": "2GB"}])
    with pytest.raises(UsageError, match="each is one GPU"):
        devices_of(Path(), "local", one, GPUS, gpus_each=2)
