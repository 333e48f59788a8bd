"""Where a run trains. Nothing falls back quietly: a night on the CPU is a night lost."""

import os
from typing import Literal

import torch

from ctexp.core import gpu, screen
from ctexp.core.errors import PreflightError

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
"""Lightning's names."""

_PRECISIONS: dict[str, Precision] = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}
_WAY_OUT = "trainer.accelerator=cpu trains on the CPU knowingly; `scripts/inv doctor` checks the machine"


def choose_device(accelerator: str) -> torch.device:
    """The device for `trainer.accelerator`.

    Args:
        accelerator: `cpu`; `gpu`; or `auto`, the GPU where the machine has one.

    Raises:
        PreflightError: a GPU is there but cannot be used, or none is there and one was asked for.
    """
    if accelerator == "cpu":
        return torch.device("cpu")
    # Else CUDA counts the fastest first, and the record, which counts as the driver does, names another.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    state = gpu.detect_gpus()
    if state.present:
        why = state.problem or f"torch {torch.__version__} cannot use its driver"
        way_out = f"{state.fix}; or {_WAY_OUT}" if state.fix else _WAY_OUT
        raise PreflightError(f"this machine's GPU cannot be used: {why}", way_out)
    if accelerator == "gpu":
        raise PreflightError("trainer.accelerator=gpu: this machine has no NVIDIA GPU", _WAY_OUT)
    screen.note("no GPU on this machine: computing on the CPU")
    return torch.device("cpu")


def choose_devices(accelerator: str, count: int) -> tuple[torch.device, ...]:
    """The devices for `trainer.accelerator` and `trainer.devices`, the first of them first.

    Args:
        accelerator: as for `choose_device`.
        count: how many; processors only where they are asked for by name.

    Raises:
        PreflightError: as for `choose_device`, or there are fewer.
    """
    first = choose_device(accelerator)
    if count == 1 or accelerator == "cpu":
        return (first,) * count
    there = torch.cuda.device_count() if first.type == "cuda" else 0
    if there < count:
        raise PreflightError(
            f"trainer.devices={count}: this process sees {there} GPU{'' if there == 1 else 's'}",
            f"use trainer.devices={max(1, there)}; CUDA_VISIBLE_DEVICES says which are seen",
        )
    return tuple(torch.device("cuda", index) for index in range(count))


def make_repeatable() -> None:
    """Ask for the same bits from the same seed; operations without a deterministic form only warn."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else every new tensor is written twice, to make reads of unwritten memory repeatable too.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def precision(wanted: str, device: torch.device) -> Precision:
    """What `trainer.precision` means here; `auto` is bf16 where the GPU has it, and 32 bits elsewhere."""
    if wanted == "auto":
        # Emulated, as torch offers it for any GPU, it is slower than 32 bits.
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16-mixed" if native else "32-true"
    return _PRECISIONS[wanted]


def autocast(wanted: str, device: torch.device) -> torch.autocast:
    """The context in which a forward pass is computed with `trainer.precision`."""
    chosen = precision(wanted, device)
    dtype = torch.float16 if chosen == "16-mixed" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=chosen != "32-true")
