"""Work on this machine: each piece a process of its own, which ends when this one does."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property

import psutil

from ctexp.core import files
from ctexp.core.children import has_ended, kill_group
from ctexp.core.gpu import detect_gpus
from ctexp.core.parent_death import tied_to_this
from ctexp.core.wording import many
from ctexp.executors.devices import devices_here
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.settings import LocalSettings
from ctexp.executors.slots import Device, slots_of

_LOOK_SECONDS = 0.05

_TRAINING_BYTES = 2 * 1024**3
"""What a training on the processor is taken to need."""

_MOST = 4
"""Trainings on processors at once: more wait for the same memory."""


@dataclass(frozen=True)
class LocalWork:
    """A process under way; who waits for it and who cancels it, on another thread, take the lock."""

    work: Work
    process: "subprocess.Popen[bytes]"
    gpu: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)


class Local:
    """Processes of this machine."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._at_work: list[LocalWork] = []

    def resources(self) -> Resources:
        """What there is to work with: the devices that are named, else each GPU, else the processors.

        Raises:
            PreflightError: a device that is named is not there.
        """
        cores = len(os.sched_getaffinity(0))
        if devices := self._devices:
            slots, named = slots_of(devices), ", ".join(device.name for device in devices)
            threads = None if any(device.uuid for device in devices) else max(1, cores // slots)
            return Resources(slots, f"{named}: {many(slots, 'training')} at a time", threads)
        if detect_gpus().present:
            return Resources(1, "a GPU: 1 training at a time")
        slots = max(1, min(cores, _MOST, psutil.virtual_memory().available // _TRAINING_BYTES))
        return Resources(
            slots, f"{many(cores, 'processor')}: {many(slots, 'training')} at a time", max(1, cores // slots)
        )

    @cached_property
    def _devices(self) -> tuple[Device, ...]:
        state, named = detect_gpus(), self._settings.devices
        on_gpu = state.present if named == "auto" else any(one.name.startswith("cuda") for one in named)
        return devices_here("local", self._settings, state, gpus_each=int(on_gpu))

    def _device(self) -> dict[str, str]:
        """What shows to a piece of work one GPU: that on which the fewest are at work."""
        self._at_work = [one for one in self._at_work if one.process.returncode is None]
        uuids = [device.uuid for device in self._devices if device.uuid]
        if not uuids:
            return {}
        busy = [one.gpu for one in self._at_work]
        return {"CUDA_VISIBLE_DEVICES": min(uuids, key=busy.count)}

    def submit(self, work: Work) -> LocalWork:
        """Begin a piece of work.

        Raises:
            StorageError: its log cannot be written.
        """
        with files.storage_errors(work.log):
            work.log.parent.mkdir(parents=True, exist_ok=True)
            output = os.open(work.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        device = self._device()
        try:
            process = subprocess.Popen(
                list(work.words),
                cwd=work.folder,
                env={**os.environ, **device, **work.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a terminal's Ctrl-C reaches this process alone, which passes it on
                pass_fds=list(work.descriptors),
                preexec_fn=tied_to_this(),
            )
        finally:
            os.close(output)
        self._at_work.append(LocalWork(work, process, device.get("CUDA_VISIBLE_DEVICES")))
        return self._at_work[-1]

    def poll(self, handle: LocalWork) -> int | None:
        """Its exit code; see `Executor`. Afterwards nothing of what it has started is left."""
        process = handle.process
        with handle.lock:
            if process.returncode is None and has_ended(process.pid):
                # Its number is not given away while it is not waited for: who is of its group now is of it.
                kill_group(process.pid)
            return process.poll()

    def cancel(self, handle: LocalWork, grace: float) -> None:
        """Ask it to end, and end it where it has not after so many seconds."""
        if self.poll(handle) is not None:
            return
        handle.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + grace
        while self.poll(handle) is None and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
        with handle.lock:
            if handle.process.poll() is None:
                kill_group(handle.process.pid)
                handle.process.wait()
