"""A night gone through in thought: which jobs find time, one after the other or several at once.

The rules are those of `queue.deciding.choose`: where not all fits, the jobs left are packed into what is left
of the window, and packed again after a job; one is begun only where its p90 is left, a shorter one after it
may still be. On devices they stand in line as `executors.slots` says. All take their time at a pace that is
assumed, gates are taken to be met, and nothing fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ctexp.core import clock
from ctexp.executors.slots import Device, Need, Slots, slots_of
from ctexp.planning.packing.pack import Length, pack
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job
from ctexp.planning.schedule.costs import bound
from ctexp.planning.schedule.lanes import given
from ctexp.record.manifest import Estimate

Pace = Literal["p50", "p90"]

_MANY = 100
"""Jobs from which on they are not packed after every job, as they are at night: it would take too long."""


@dataclass(frozen=True)
class Slot:
    """A job's place in the night, in seconds from its beginning.

    Attributes:
        shortened: it is stopped at the window's end instead of being left out.
        certain: whether the costs of all before it are known; else both are the least they can be.
    """

    begins: float
    ends: float
    shortened: bool
    certain: bool


@dataclass(frozen=True)
class Walk:
    """How it goes.

    Attributes:
        slots: of the jobs that are begun, in that order.
        left_out: why each other one is not.
        ends: when the last one is over.
    """

    slots: Mapping[str, Slot]
    left_out: Mapping[str, str]
    ends: float


def walk(
    jobs: Sequence[Job],
    costs: Mapping[str, Estimate | None],
    seconds: float,
    pause: float,
    pace: Pace,
    devices: Sequence[Device] = (),
) -> Walk:
    """Go through the jobs.

    Args:
        jobs: in the order of running.
        costs: by job id.
        seconds: that there are for all of them.
        pause: between two of them.
        pace: whether jobs take their median time or all of them their p90.
        devices: what they run on; none for one at a time.
    """
    night = _Night(jobs, costs, seconds, pause, pace, devices or (Device("", None),))
    every = 1 + (len(jobs) // _MANY) ** 2
    order = night.packed()
    while True:
        if (found := night.next(order)) is not None:
            night.begin(*found)
            order.remove(found[0])
        elif not night.go_on():
            break
        elif not night.whole and len(night.slots) % every == 0:
            order = night.packed()
    ends = max((slot.ends for slot in night.slots.values()), default=0.0)
    return Walk(night.slots, night.left_out(), ends)


@dataclass
class _Night:
    """How far it has come.

    Attributes:
        now: when the next job can begin.
        running: those that are not over by now: when each and its pause will be, what it is, and where.
        certain: whether the costs of all jobs so far are known.
        whole: whether all that is left fits: nothing has to be packed again.
        passed_over: jobs that could have been begun when the window was meant for others, which come later.
    """

    jobs: Sequence[Job]
    costs: Mapping[str, Estimate | None]
    seconds: float
    pause: float
    pace: Pace
    devices: Sequence[Device]
    now: float = 0.0
    running: list[tuple[float, Job, str]] = field(default_factory=list)
    certain: bool = True
    whole: bool = False
    slots: dict[str, Slot] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.to_come: dict[str, int] = {}
        for job in self.jobs:
            self.to_come[job.experiment] = self.to_come.get(job.experiment, 0) + 1
        self.begun = dict.fromkeys(self.to_come, 0)

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self.now)

    def packed(self) -> list[Job]:
        """The jobs that are not begun, in the order that makes the most of what is left."""
        left = [job for job in self.jobs if job.id not in self.slots]
        lengths = {
            job.id: Length(cost.seconds, bound(cost)) if (cost := self.costs[job.id]) else None
            for job in left
        }
        by_id = {job.id: job for job in left}
        packing = pack(left, lengths, self.left, self.pause, self.begun, self._lanes())
        self.whole = packing.whole
        last = max((n for n, job in enumerate(left) if job.id in packing.chosen), default=0)
        earlier = (job for job in left[:last] if job.id not in packing.chosen)
        self.passed_over |= {job.id for job in earlier if self.may_begin(job)}
        return [by_id[one] for one in packing.order]

    def may_begin(self, job: Job) -> bool:
        """Whether it waits for nothing, and has the time."""
        ready = not any(self.to_come.get(name) for name in job.waits_for)
        return ready and (self._needed(job) <= self.left or self._shortened(job))

    def next(self, order: Sequence[Job]) -> tuple[Job, Device] | None:
        """The first that may begin and has a place."""
        places = Slots(self.devices, [(name, self._need(job)) for _, job, name in self.running])
        for job in order:
            if places.is_full:
                break
            if self.may_begin(job) and (device := places.take(self._need(job))):
                return job, device
        return None

    def go_on(self) -> bool:
        """To the moment when something that runs is over; False where nothing does."""
        if not self.running:
            return False
        self.now = max(self.now, min(ends for ends, _, _ in self.running))
        for one in [one for one in self.running if one[0] <= self.now]:
            self.running.remove(one)
            self.to_come[one[1].experiment] -= 1
        return True

    def begin(self, job: Job, device: Device) -> None:
        """The next one."""
        cost, shortened = self.costs[job.id], self._shortened(job)
        takes = 0.0 if cost is None else cost.seconds if self.pace == "p50" else bound(cost)
        ends = self.now + (min(takes, self.left) if shortened else takes)
        self.slots[job.id] = Slot(self.now, ends, shortened, self.certain)
        self.certain = self.certain and cost is not None
        self.running.append((ends + self.pause, job, device.name))
        self.begun[job.experiment] += 1

    def left_out(self) -> dict[str, str]:
        """Why each other one is not begun."""
        found: dict[str, str] = {}
        missing: dict[str, str] = {}
        for job in self.jobs:
            if job.id in self.slots:
                continue
            awaited = next((missing[name] for name in job.waits_for if name in missing), None)
            if awaited is not None:
                found[job.id] = f"waits for {awaited}, which is left out"
            else:
                others = ": others make more of the window" if job.id in self.passed_over else ""
                left = clock.duration(self.left)
                found[job.id] = f"needs {_said(self.costs[job.id])}, {left} are left{others}"
            missing.setdefault(job.experiment, job.id)
        return found

    def _lanes(self) -> list[float]:
        """Seconds that each place has left."""
        free = slots_of(self.devices) - len(self.running)
        return [self.left] * free + [max(0.0, self.seconds - ends) for ends, _, _ in self.running]

    def _need(self, job: Job) -> Need:
        return given(self.costs[job.id], self.devices)

    def _needed(self, job: Job) -> float:
        cost = self.costs[job.id]
        return LEAST_SECONDS if cost is None else bound(cost)

    def _shortened(self, job: Job) -> bool:
        return job.shorten and self._needed(job) > self.left >= LEAST_SECONDS


def never_begun(job: Job, needed: float | None, whole: float) -> str:
    """Why no night begins a job, in words: it needs more than the whole window. Empty where one may.

    Args:
        job: the job.
        needed: seconds, its p90; None where nobody knows.
        whole: seconds that the window has for jobs, if nothing runs before.
    """
    if needed is None or needed <= whole or job.shorten:
        return ""
    said = f"needs {clock.duration(needed)} (p90), the whole window has {clock.duration(max(0.0, whole))}"
    shorter = "" if job.verb == "cross-validate" or whole < LEAST_SECONDS else ", or shorten: true"
    return f"{said}: it will never be begun; lengthen the window{shorter}"


def _said(cost: Estimate | None) -> str:
    """What a job needs, in words."""
    if cost is None:
        return f"at least {clock.duration(LEAST_SECONDS)} (its cost is unknown)"
    return f"{clock.duration(bound(cost))} (p90)"
