"""What of a plan fits which device."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ctexp.core.errors import UsageError
from ctexp.executors.slots import Device, Need, slots_of
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.estimates import memory
from ctexp.record.manifest import Estimate


def need_of(cost: Estimate | None) -> Need:
    """The memory that a job is given: its p90, which has to be free."""
    if cost is None:
        return None
    return cost.memory_bytes if cost.memory_bytes_p90 is None else cost.memory_bytes_p90


def gpus_each(jobs: Iterable[CheckedJob]) -> int:
    """The GPUs that the greediest job trains on."""
    return max((one.composed.settings.trainer.devices for one in jobs), default=1)


def refuse_too_large(devices: Sequence[Device], costs: Mapping[str, Estimate | None]) -> None:
    """No job may need more than any device has for it.

    Raises:
        UsageError: some do; each is a line.
    """
    wrong = [
        f"{job}: takes {memory(need)} (p90), and no device of the executor has so much: {_named(devices)}"
        for job, cost in costs.items()
        if (need := need_of(cost)) is not None and devices and not any(one.can_hold(need) for one in devices)
    ]
    if wrong:
        raise UsageError(wrong, "smaller batches (data.batch_size), or a device with more memory")


def lines_of(devices: Sequence[Device]) -> Iterator[str]:
    """What a check of the machine says of them; nothing where jobs come one after the other."""
    if devices:
        yield f"devices      {_named(devices)}: {slots_of(devices)} jobs at once"


def _named(devices: Sequence[Device]) -> str:
    return ", ".join(
        one.name if one.memory is None else f"{one.name} {memory(one.memory)}" for one in devices
    )
