"""NVIDIA GPUs found without torch: the PCI bus says what is there, NVML says what the driver makes of it.

A machine whose GPU cannot be used looks, to torch, like a machine without one. Telling the two apart is what
keeps a night's training from running on the CPU unnoticed.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"


@dataclass(frozen=True)
class Gpu:
    """One GPU as the driver knows it; memory in bytes, None where the driver does not tell."""

    index: int
    name: str
    uuid: str
    memory: int | None


@dataclass(frozen=True)
class Driver:
    """What NVML reports: the driver's version, the newest CUDA it serves, and its GPUs."""

    version: str
    cuda: str
    gpus: tuple[Gpu, ...]


class NvmlUnusable(Exception):
    """NVML, hence CUDA, cannot be used; the text is NVML's own reason."""


@dataclass(frozen=True)
class GpuState:
    """Whether there is a GPU, and whether a CUDA program started now would get it.

    Attributes:
        present: a GPU is on the bus, or the driver knows one.
        gpus: the GPUs the driver knows; empty when it is unusable.
        driver: the driver's version, empty when it does not answer.
        cuda: the newest CUDA version the driver serves, empty likewise.
        problem: why a GPU that is there cannot be used, one line; None when it can, or when there is none.
        fix: what to do about the problem; empty without one.
    """

    present: bool
    gpus: tuple[Gpu, ...]
    driver: str
    cuda: str
    problem: str | None
    fix: str


def ask_nvml() -> Driver:
    """Ask the driver through NVML. Initialises no CUDA, so forking afterwards is safe.

    Raises:
        NvmlUnusable: the library is missing, does not match the kernel's driver, or does not answer.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            cuda = pynvml.nvmlSystemGetCudaDriverVersion()
            gpus = tuple(_gpu(index) for index in range(pynvml.nvmlDeviceGetCount()))
            return Driver(pynvml.nvmlSystemGetDriverVersion(), f"{cuda // 1000}.{cuda % 1000 // 10}", gpus)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise NvmlUnusable(str(error)) from error


def _gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory: int | None
    try:
        memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError:  # a partitioned GPU asks for rights; one that shares the machine's has none
        memory = None
    return Gpu(index, pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetUUID(handle), memory)


def detect_gpus(sys_root: Path = Path("/"), nvml: Callable[[], Driver] = ask_nvml) -> GpuState:
    """Look for NVIDIA GPUs.

    Args:
        sys_root: where `sys`, `proc` and `dev` hang; another folder in tests.
        nvml: who answers for the driver.
    """
    on_bus = _gpus_on_bus(sys_root)
    try:
        driver = nvml()
    except NvmlUnusable as error:
        if on_bus == 0:
            return GpuState(False, (), "", "", None, "")
        why, fix = _why_unusable(sys_root, str(error))
        return GpuState(True, (), "", "", f"{_count(on_bus)} there, but {why}", fix)
    present = bool(driver.gpus) or on_bus > 0
    problem, fix = None, ""
    if present and not driver.gpus:
        problem = f"{_count(on_bus)} there, but the driver {driver.version} knows none"
        fix = "see `dmesg | grep -i nvrm`; a reboot, or a driver that supports this GPU"
    elif present and os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in {"", "-1"}:
        problem = f"{_count(len(driver.gpus))} there, but hidden by CUDA_VISIBLE_DEVICES"
        fix = "unset CUDA_VISIBLE_DEVICES"
    return GpuState(present, driver.gpus, driver.version, driver.cuda, problem, fix)


def shown(gpus: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Those that CUDA is shown, in its order."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is None:
        return tuple(gpus)
    words = [word.strip() for word in said.split(",")]
    return tuple(
        gpu
        for word in words
        for gpu in gpus
        if word == str(gpu.index) or (word.startswith("GPU-") and gpu.uuid.startswith(word))
    )


def _gpus_on_bus(sys_root: Path) -> int:
    """How many NVIDIA display controllers the PCI bus holds (vendor 10de, class 03: VGA, 3D)."""
    return sum(
        _text(device / "vendor") == _NVIDIA and _text(device / "class").startswith(_DISPLAY_CLASS)
        for device in (sys_root / "sys/bus/pci/devices").glob("*")
    )


def _why_unusable(sys_root: Path, reason: str) -> tuple[str, str]:
    """The problem and its fix, told apart by what of the driver is in place."""
    if not (sys_root / "proc/driver/nvidia/version").exists():
        return (
            f"no NVIDIA driver is loaded ({reason})",
            "install the NVIDIA driver, or load it: `modprobe nvidia`",
        )
    if not any((sys_root / "dev").glob("nvidia[0-9]*")):
        return (
            f"no /dev/nvidia* device is here ({reason})",
            "in a container, start it with the GPU (`docker run --gpus all`); else run `nvidia-modprobe`",
        )
    return (
        f"the driver cannot be used ({reason})",
        "after an update of the driver, reboot; else install the library of the driver that is loaded",
    )


def _count(number: int) -> str:
    return "a GPU is" if number == 1 else f"{number} GPUs are"


def _text(path: Path) -> str:
    """A file's text, empty when it cannot be read (devices come and go)."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
