"""What is lost because nobody knows what a job takes, and what to do about it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ctexp.executors.slots import Device
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.past import Past
from ctexp.planning.schedule.costs import trainings
from ctexp.planning.schedule.lanes import need_of
from ctexp.planning.schedule.measurements import Measurements
from ctexp.record.manifest import Estimate

Kind = tuple[tuple[str, Any], ...]


def unmeasured(
    checked: Iterable[CheckedJob],
    costs: Mapping[str, Estimate | None],
    past: Past,
    measured: Measurements,
    devices: Sequence[Device],
    plan: str,
) -> Iterator[str]:
    """A line for jobs that were measured on other hardware alone, and one for those that share no device.

    Args:
        checked: the jobs.
        costs: by job id.
        past: the project's runs.
        measured: what was measured beside them.
        devices: that jobs run on, several at once; none where they come one after the other.
        plan: its name.
    """
    alone = any(one.memory is not None and one.jobs > 1 for one in devices)
    seen = _seen(past, measured)
    jobs: dict[tuple[str, str], list[str]] = {}
    for one in checked:
        if need_of(costs[one.job.id]) is None:
            devices_seen = (seen.get(_work(job.kind), set()) for job in trainings(one))
            elsewhere = set().union(*devices_seen) - {one.device}
            if elsewhere or alone:
                jobs.setdefault((one.device, ", ".join(sorted(elsewhere))), []).append(one.job.id)
    for (here, there), ids in jobs.items():
        why = f"measured on {there}, not on {here}" if there else "not measured"
        lost = ", so each has its device to itself; to run several at once" if alone else ""
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        yield f"{ids[0]}{more}: {why}{lost}: scripts/inv plan-check {plan} --measure"


def _seen(past: Past, measured: Measurements) -> dict[Kind, set[str]]:
    """The devices on which each workload was seen."""
    found: dict[Kind, set[str]] = {}
    for kind in {run.job.kind for run in past.runs} | measured.kinds:
        found.setdefault(_work(kind), set()).add(str(dict(kind)["device"]))
    return found


def _work(kind: Kind) -> Kind:
    """A workload wherever it is done."""
    return tuple(pair for pair in kind if pair[0] != "device")
