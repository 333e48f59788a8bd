"""What the jobs of a night run on, by what `conf/executor` says and this machine has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.gpu import Gpu, GpuState
from ctexp.core.sizes import size_bytes
from ctexp.executors.opening import open_executor
from ctexp.executors.settings import FOLDER, ExecutorSettings, LocalSettings
from ctexp.executors.slots import Device

_ANSWER_SECONDS = 120.0


def devices_of(
    root: Path, name: str, settings: ExecutorSettings, state: GpuState, *, on_gpu: bool
) -> tuple[Device, ...]:
    """The devices of a night; none where its jobs come one after the other, on what there is.

    Args:
        root: the project's folder.
        name: of the executor.
        settings: its own.
        state: of this machine's GPUs.
        on_gpu: whether any job asks for a GPU.

    Raises:
        UsageError: a device is named twice.
        PreflightError: a device is not there, or a cluster does not answer.
    """
    if isinstance(settings, LocalSettings):
        return devices_here(name, settings, state, on_gpu=on_gpu)
    return (Device(name, None, _slots_there(root, name)),)


def devices_here(name: str, settings: LocalSettings, state: GpuState, *, on_gpu: bool) -> tuple[Device, ...]:
    """Those of this machine; see `devices_of`."""
    if settings.devices == "auto":
        return _found(_shown(state.gpus) if on_gpu else (), settings.jobs_per_device)
    names = [device.name for device in settings.devices]
    if twice := {one for one in names if names.count(one) > 1}:
        raise UsageError(f"{FOLDER}/{name}.yaml: devices: {', '.join(sorted(twice))} stands there twice")
    if on_gpu and not any(one.startswith("cuda") for one in names):
        raise PreflightError(
            f"{FOLDER}/{name}.yaml: devices: no GPU is among them, and jobs ask for one",
            "name one, or trainer.accelerator=cpu",
        )
    known = {f"cuda:{gpu.index}": gpu for gpu in state.gpus}
    if missing := [one for one in names if one.startswith("cuda") and one.partition("#")[0] not in known]:
        there = f"this machine has {', '.join(known) or 'no GPU'}"
        raise PreflightError(f"{FOLDER}/{name}.yaml: devices: {', '.join(missing)}: {there}")
    return tuple(
        Device(
            one.name,
            size_bytes(one.memory),
            settings.jobs_per_device,
            known[one.name.partition("#")[0]].uuid if one.name.startswith("cuda") else None,
        )
        for one in settings.devices
    )


def is_declared(settings: ExecutorSettings) -> bool:
    """Whether the file says how much memory there is for jobs, which then is never exceeded."""
    return isinstance(settings, LocalSettings) and settings.devices != "auto"


def _found(gpus: Sequence[Gpu], each: int) -> tuple[Device, ...]:
    if len(gpus) <= 1 and each == 1:
        return ()
    if gpus:
        return tuple(Device(f"cuda:{gpu.index}", gpu.memory, each, gpu.uuid) for gpu in gpus)
    return (Device("cpu", int(psutil.virtual_memory().available), each),)


def _shown(gpus: Iterable[Gpu]) -> tuple[Gpu, ...]:
    """Those that CUDA is shown."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    words = None if said is None else [word.strip() for word in said.split(",")]
    return tuple(
        gpu
        for gpu in gpus
        if words is None
        or any(
            word == str(gpu.index) or (word.startswith("GPU-") and gpu.uuid.startswith(word))
            for word in words
        )
    )


def _slots_there(root: Path, name: str) -> int:
    """Jobs that a cluster carries out at once, asked by a child: its client stays out of this process.

    Raises:
        PreflightError: it does not answer.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ctexp.executors.devices", str(root), name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
        return max(1, int(json.loads(done.stdout.splitlines()[-1])["slots"]))
    except subprocess.TimeoutExpired as error:
        raise PreflightError(f"--executor {name}: no answer in {_ANSWER_SECONDS:.0f} s") from error
    except (ValueError, LookupError, TypeError) as error:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        raise PreflightError(f"--executor {name}: {said or f'exit code {done.returncode}'}") from error


if __name__ == "__main__":
    print(json.dumps({"slots": open_executor(Path(sys.argv[1]), sys.argv[2]).resources().slots}))
