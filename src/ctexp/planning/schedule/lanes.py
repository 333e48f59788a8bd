"""What of a plan fits which device."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ctexp.core.errors import UsageError
from ctexp.core.wording import many
from ctexp.executors.slots import Device, Need, most_memory, slots_of
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


def given(cost: Estimate | None, devices: Sequence[Device]) -> Need:
    """The memory that a job is given on one of these; one that hopes to get by with less has all of it."""
    need, most = need_of(cost), most_memory(devices)
    return need if need is None or most is None else min(need, most)


def lines_of(devices: Sequence[Device], costs: Iterable[Estimate | None]) -> Iterator[str]:
    """What a check of the machine says of them; nothing where jobs come one after the other."""
    if not devices:
        return
    needs = [need for cost in costs if (need := given(cost, devices)) is not None]
    low, high = (memory(pick(needs, default=0)) for pick in (min, max))
    takes = f"; a job takes {low if low == high else f'{low} to {high}'} (p90)" if needs else ""
    yield f"devices      {said_of(devices)}{takes if is_shared_out(devices) else ''}"


def is_shared_out(devices: Sequence[Device]) -> bool:
    """Whether jobs are placed by their memory."""
    return any(one.memory is not None for one in devices)


def said_of(devices: Sequence[Device]) -> str:
    """`cuda:0 24.0 GiB, cuda:1 12.0 GiB: 2 jobs at once`."""
    return f"{_named(devices)}: {many(slots_of(devices), 'job')} at once"


def _named(devices: Sequence[Device]) -> str:
    return ", ".join(
        one.name if one.memory is None else f"{one.name} {memory(one.memory)}" for one in devices
    )
