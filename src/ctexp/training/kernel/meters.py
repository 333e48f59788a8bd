"""What an epoch cost: time, images a second, CPU, memory, GPU."""

import contextlib
import time

import psutil
import pynvml
import torch

_MIB = 2**20


class Meters:
    """Reads the machine between `begin` and `read`.

    Args:
        device: where the model trains; GPU columns are empty on a CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._process = psutil.Process()
        self._cuda = device if device.type == "cuda" else None
        self._began = time.monotonic()

    def begin(self) -> None:
        """Start measuring an epoch."""
        self._began = time.monotonic()
        self._process.cpu_percent()
        if self._cuda is not None:
            torch.cuda.reset_peak_memory_stats(self._cuda)

    def read(self, images: int) -> dict[str, float | None]:
        """The columns of a history row.

        Args:
            images: how many were trained on since `begin`.

        Returns:
            seconds; images_per_second; cpu_percent (100 is one core); rss_mb; gpu_percent (utilisation now);
            gpu_memory_mb (peak allocated). Megabytes are MiB.
        """
        seconds = time.monotonic() - self._began
        return {
            "seconds": seconds,
            "images_per_second": images / seconds,
            "cpu_percent": self._process.cpu_percent(),
            "rss_mb": self._process.memory_info().rss / _MIB,
            "gpu_percent": self._gpu_percent(),
            "gpu_memory_mb": None
            if self._cuda is None
            else torch.cuda.max_memory_allocated(self._cuda) / _MIB,
        }

    def _gpu_percent(self) -> float | None:
        if self._cuda is None:
            return None
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            uuid = f"GPU-{torch.cuda.get_device_properties(self._cuda).uuid}"
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid.encode())
            return float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        return None
