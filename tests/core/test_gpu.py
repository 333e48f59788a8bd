"""GPUs told apart: none, one that works, and one that is there but cannot be used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core.gpu import Driver, Gpu, NvmlUnusable, detect_gpus, shown

CARD = Gpu(index=0, name="NVIDIA GeForce RTX 4090", uuid="GPU-1", memory=24 * 2**30)


def answers(*gpus: Gpu) -> Callable[[], Driver]:
    return lambda: Driver("560.35.03", "12.6", gpus)


def refuses() -> Driver:
    raise NvmlUnusable("Driver/library version mismatch")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a network card and a graphics card of somebody else."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    plug(tmp_path, "0000:00:1f.6", vendor="0x8086", kind="0x020000")
    plug(tmp_path, "0000:00:02.0", vendor="0x8086", kind="0x030000")
    return tmp_path


def plug(machine: Path, slot: str, vendor: str = "0x10de", kind: str = "0x030000") -> None:
    """Put a device on the PCI bus, an NVIDIA graphics card unless told otherwise."""
    device = machine / "sys/bus/pci/devices" / slot
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")


def load_driver(machine: Path) -> None:
    (machine / "proc/driver/nvidia").mkdir(parents=True)
    (machine / "proc/driver/nvidia/version").write_text("NVRM version: 550\n")


def test_a_machine_without_one(machine: Path) -> None:
    state = detect_gpus(machine, refuses)
    assert (state.present, state.gpus, state.problem) == (False, (), None)


def test_an_nvidia_sound_device_is_no_gpu(machine: Path) -> None:
    plug(machine, "0000:01:00.1", kind="0x040300")
    assert not detect_gpus(machine, refuses).present


@pytest.mark.parametrize("kind", ["0x030000", "0x030200"])
def test_one_that_works(machine: Path, kind: str) -> None:
    plug(machine, "0000:01:00.0", kind=kind)
    state = detect_gpus(machine, answers(CARD))
    assert (state.present, state.gpus, state.problem) == (True, (CARD,), None)
    assert (state.driver, state.cuda) == ("560.35.03", "12.6")


def test_one_that_only_the_driver_shows(machine: Path) -> None:
    assert detect_gpus(machine, answers(CARD)).present


def test_one_without_a_driver(machine: Path) -> None:
    plug(machine, "0000:01:00.0")
    state = detect_gpus(machine, refuses)
    assert (state.present, state.gpus) == (True, ())
    assert state.problem == (
        "a GPU is there, but no NVIDIA driver is loaded (Driver/library version mismatch)"
    )
    assert "modprobe nvidia" in state.fix


def test_ones_that_a_container_cannot_reach(machine: Path) -> None:
    plug(machine, "0000:01:00.0")
    plug(machine, "0000:02:00.0")
    load_driver(machine)
    state = detect_gpus(machine, refuses)
    assert state.problem is not None
    assert state.problem.startswith("2 GPUs are there, but no /dev/nvidia* device")
    assert "--gpus all" in state.fix


def test_a_driver_that_does_not_match(machine: Path) -> None:
    plug(machine, "0000:01:00.0")
    load_driver(machine)
    (machine / "dev").mkdir()
    (machine / "dev/nvidia0").touch()
    state = detect_gpus(machine, refuses)
    assert state.problem == "a GPU is there, but the driver cannot be used (Driver/library version mismatch)"
    assert "reboot" in state.fix


def test_a_driver_that_knows_none(machine: Path) -> None:
    plug(machine, "0000:01:00.0")
    state = detect_gpus(machine, answers())
    assert (state.present, state.gpus) == (True, ())
    assert state.problem == "a GPU is there, but the driver 560.35.03 knows none"


@pytest.mark.parametrize(("visible", "hidden"), [("", True), ("-1", True), ("0", False), ("GPU-1", False)])
def test_one_hidden_by_the_environment(
    machine: Path, monkeypatch: pytest.MonkeyPatch, visible: str, hidden: bool
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    state = detect_gpus(machine, answers(CARD))
    assert (state.problem is not None) == hidden


def test_this_machines_own_driver_is_asked_without_harm() -> None:
    state = detect_gpus()
    assert state.present or not state.gpus
    assert all(gpu.uuid.startswith("GPU-") for gpu in state.gpus)


@pytest.mark.parametrize(
    ("said", "first"), [(None, 0), ("1,0", 1), ("GPU-b", 1), ("1", 1), ("nothing", None)]
)
def test_cuda_is_shown_what_its_variable_says(
    monkeypatch: pytest.MonkeyPatch, said: str | None, first: int | None
) -> None:
    two = [Gpu(0, "slow", "GPU-a", None), Gpu(1, "fast", "GPU-b", None)]
    if said is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert next((gpu.index for gpu in shown(two)), None) == first
