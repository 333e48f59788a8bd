"""What jobs of this machine run on, by what `conf/executor` says and the machine has."""

from collections.abc import Mapping, Sequence

import psutil

from ctexp.core.errors import PreflightError, UsageError
from ctexp.core.gpu import Gpu, GpuState, shown
from ctexp.core.sizes import size_bytes
from ctexp.core.wording import many
from ctexp.executors.settings import FOLDER, ExecutorSettings, LocalSettings
from ctexp.executors.settings import Device as Declared
from ctexp.executors.slots import Device

_PROCESSOR = "cpu"


def devices_here(
    name: str, settings: LocalSettings, state: GpuState, *, gpus_each: int
) -> tuple[Device, ...]:
    """The devices of this machine; none where its jobs come one after the other, on what there is.

    Args:
        name: of the executor.
        settings: its own.
        state: of this machine's GPUs.
        gpus_each: that the greediest job asks for (`trainer.devices`); 0 where none computes on a GPU.

    Raises:
        UsageError: a device is one GPU where a job asks for several.
        PreflightError: a device is not there, or has less memory than is said.
    """
    if settings.devices == "auto":
        return _found(shown(state.gpus) if gpus_each else (), settings.jobs_per_device, gpus_each)
    where = f"{FOLDER}/{name}.yaml: devices"
    if gpus_each > 1:
        raise UsageError(
            f"{where}: each is one GPU, and trainer.devices={gpus_each} asks for more",
            "devices: auto puts them together",
        )
    places = list(dict.fromkeys(device.place for device in settings.devices))
    if gpus_each and places == [_PROCESSOR]:
        raise PreflightError(
            f"{where}: no GPU is among them, and jobs ask for one",
            "name one, or trainer.accelerator=cpu",
        )
    known = {f"cuda:{gpu.index}": gpu for gpu in state.gpus}
    if missing := [one for one in places if one not in (_PROCESSOR, *known)]:
        there = f"this machine has {', '.join(known) or 'no GPU'}"
        raise PreflightError(
            f"{where}: {', '.join(missing)}: {there}",
            state.fix or f"name {next(iter(known), _PROCESSOR)}, or write devices: auto",
        )
    _refuse_more_than_there_is(where, settings.devices, known)
    return tuple(
        Device(
            one.name,
            size_bytes(one.memory),
            settings.jobs_per_device,
            known[one.place].uuid if one.place in known else None,
        )
        for one in settings.devices
    )


def _refuse_more_than_there_is(where: str, devices: Sequence[Declared], known: Mapping[str, Gpu]) -> None:
    """Jobs that are given memory which nobody has would be killed, or take it from each other.

    Raises:
        PreflightError: of some, more is given away than they have.
    """
    given: dict[str, int] = {}
    for one in devices:
        given[one.place] = given.get(one.place, 0) + size_bytes(one.memory)
    has = {place: gpu.memory for place, gpu in known.items()} | {_PROCESSOR: psutil.virtual_memory().total}
    problems = [
        f"{where}: {place}: {_said(count)} in all, and it has {_said(most)}"
        for place, count in given.items()
        if (most := has[place]) is not None and count > most
    ]
    if problems:
        raise PreflightError(problems, "give away what is there; leave some for all else on this machine")


def _said(count: int) -> str:
    return f"{count / 10**9:.1f} GB"


def is_declared(settings: ExecutorSettings) -> bool:
    """Whether the file says how much memory there is for jobs, which then is never exceeded."""
    return isinstance(settings, LocalSettings) and settings.devices != "auto"


def _found(gpus: Sequence[Gpu], jobs: int, gpus_each: int) -> tuple[Device, ...]:
    """Every GPU, or as many together as a job asks for; what is over is left alone."""
    if gpus_each > 1:
        if len(gpus) < gpus_each:
            raise PreflightError(
                f"trainer.devices={gpus_each}: this machine has {many(len(gpus), 'GPU')} for it",
                "ask for fewer; CUDA_VISIBLE_DEVICES says which are seen",
            )
        places = range(0, len(gpus) - gpus_each + 1, gpus_each)
        return tuple(_together(gpus[first : first + gpus_each], jobs) for first in places)
    if len(gpus) <= 1 and jobs == 1:
        return ()
    if gpus:
        return tuple(_together([gpu], jobs) for gpu in gpus)
    return (Device("cpu", int(psutil.virtual_memory().available), jobs),)


def _together(gpus: Sequence[Gpu], jobs: int) -> Device:
    """A job takes as much of each as was measured of the first."""
    sizes = [gpu.memory for gpu in gpus]
    least = None if None in sizes else min(size for size in sizes if size is not None)
    name = f"cuda:{','.join(str(gpu.index) for gpu in gpus)}"
    return Device(name, least, jobs, ",".join(gpu.uuid for gpu in gpus))
