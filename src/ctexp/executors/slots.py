"""Which device a job gets: as many at once as each may have, and never more memory than it has for them.

Jobs stand in line. One that has no room now is waited for: a device that can hold it is kept for it, so that
no stream of smaller ones keeps it out for ever; those after it may have the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Need = int | None
"""Bytes that a job takes; None where nobody knows."""

_CONTEXT_BYTES = 600 * 2**20
"""What CUDA takes of a GPU for each process, beside the tensors that a need counts; half a gigabyte or so."""


@dataclass(frozen=True)
class Device:
    """What jobs run on.

    Attributes:
        name: `cuda:0`, `cpu#1`; of a cluster that of its executor.
        memory: bytes that jobs may use of it together; None where others see to that.
        jobs: at once, at most.
        uuid: of a GPU; of several that jobs have together, with commas between them.
    """

    name: str
    memory: int | None
    jobs: int = 1
    uuid: str | None = None

    def can_hold(self, need: Need) -> bool:
        """Whether such a job fits alone; one of unknown need is given the chance."""
        return self.memory is None or need is None or need <= self.memory


class Slots:
    """The places on some devices, as they are taken.

    Args:
        devices: in the order they are preferred.
        taken: the device and the need of each job that runs.
    """

    def __init__(self, devices: Sequence[Device], taken: Iterable[tuple[str, Need]] = ()) -> None:
        self._devices = devices
        self._on: dict[str, list[Need]] = {device.name: [] for device in devices}
        self._kept: set[str] = set()
        for name, need in taken:
            self._on.setdefault(name, []).append(need)

    @property
    def is_full(self) -> bool:
        """Whether nobody gets a place any more, be it for those before him in line."""
        return all(one.name in self._kept or len(self._on[one.name]) >= one.jobs for one in self._devices)

    def take(self, need: Need) -> Device | None:
        """A place for the next job in line, on the device with the fewest; None where it has to wait."""
        able = [one for one in self._devices if one.can_hold(need) and one.name not in self._kept]
        emptiest_first = sorted(able, key=lambda one: len(self._on[one.name]))
        for device in emptiest_first:
            if self._has_room(device, need):
                self._on[device.name].append(need)
                return device
        if emptiest_first:
            self._kept.add(emptiest_first[0].name)
        return None

    def _has_room(self, device: Device, need: Need) -> bool:
        there = self._on[device.name]
        if not there or device.memory is None:
            return len(there) < device.jobs
        known = [one for one in (*there, need) if one is not None]
        alone = len(known) <= len(there)  # somebody's need is unknown
        beside = len(known) * _CONTEXT_BYTES if device.uuid else 0
        return not alone and len(there) < device.jobs and sum(known) + beside <= device.memory


def slots_of(devices: Sequence[Device]) -> int:
    """Jobs at once, at most; one where no devices are named."""
    return sum(device.jobs for device in devices) or 1


def most_memory(devices: Sequence[Device]) -> int | None:
    """What the largest of them has for a job; None where no bound is declared."""
    sizes = [device.memory for device in devices]
    return max((size for size in sizes if size is not None), default=None) if None not in sizes else None
