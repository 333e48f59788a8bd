"""What a GPU is doing right now, as its driver tells: no CUDA, no torch, nothing kept open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True)
class Reading:
    """One look at one GPU; None for what its driver does not tell.

    Attributes:
        temperature: in degrees Celsius.
        memory_used: in bytes, by whomever; `memory_total` likewise.
        utilisation: percent of the last moments in which it computed.
    """

    name: str
    uuid: str
    temperature: int | None
    memory_used: int | None
    memory_total: int | None
    utilisation: int | None


@dataclass(frozen=True)
class ComputeProcess:
    """A process that computes on a GPU; one that only draws is none.

    Attributes:
        pid: as the driver counts, which in a container is the host's.
        memory: of the GPU, in bytes; None where the driver does not tell.
    """

    pid: int
    memory: int | None


def read(uuid: str | None) -> Reading | None:
    """Look at the GPU of that UUID, or at the first one.

    Returns:
        None where there is none, it has fallen off the bus, or no driver answers.
    """
    return _answered(uuid, _reading)


def compute_processes(uuid: str | None) -> tuple[ComputeProcess, ...]:
    """Who computes on the GPU of that UUID, or on the first one; nobody where no driver answers."""
    return _answered(uuid, _processes) or ()


_T = TypeVar("_T")


def _answered(uuid: str | None, question: Callable[[Any, Any], _T]) -> _T | None:
    """What the driver answers about a GPU; None where it does not."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        by_uuid = pynvml.nvmlDeviceGetHandleByUUID
        return question(pynvml, pynvml.nvmlDeviceGetHandleByIndex(0) if uuid is None else by_uuid(uuid))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _reading(nvml: Any, handle: Any) -> Reading:
    memory = _told(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return Reading(
        name=nvml.nvmlDeviceGetName(handle),
        uuid=nvml.nvmlDeviceGetUUID(handle),
        temperature=_told(
            nvml, lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        ),
        memory_used=int(memory.used) if memory else None,
        memory_total=int(memory.total) if memory else None,
        utilisation=_told(nvml, lambda: int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
    )


def _processes(nvml: Any, handle: Any) -> tuple[ComputeProcess, ...]:
    found = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    return tuple(ComputeProcess(int(one.pid), one.usedGpuMemory) for one in found)


def _told(nvml: Any, ask: Callable[[], Any]) -> Any:
    """One answer of the driver; partitioned GPUs and laptops refuse some."""
    try:
        return ask()
    except nvml.NVMLError:
        return None
