"""What comes next: a pure function of the orders, the night so far, the clock and the disk.

For each job the first rule that fits decides:

    1   done                                                    over
    2   an attempt is under way                                 running
    3   dropped by hand                                         lost; written down if it is not yet
    4   it ended, and neither again nor with a fallback         lost; left where the next start may try again
    5   not among those this start was asked for (`--only`)     left
    6   skipped since this start because of the window          left
    7   what it waits for is not all over                       held
    8   a job it needs is lost                                  skip: need
    9   a job it waits for is left                              skip: window, or need where that one failed
    10  its gate is not decided                                 decide
    11  its gate is not passed                                  skip: gate
    12  its base is not decided                                 decide
    13  no run of its base has finished                         skip: base
    14  it cannot finish within the window, nor be shortened    skip: window
    15  the disk would fall below the reserve                   stop: exit 5
    16  no device has room for it now                           held
    17  otherwise                                               begin

Jobs are looked at in the order of running. Where not all that may still be begun fits into what is left of
the window, even if each job takes its p90, they are looked at in the order that `packing.pack` gives: those
that the window is meant for come first, and the first that can be begun is. How long they take is renewed
after every job by what those of this night took (`renewed`), and they are packed again. A job for which the
window has no room is skipped once nothing can be begun any more, and nothing runs: until then it may be
packed after all.

Where there are several devices, or one has room for several jobs, this is asked again while others run. The
jobs stand in line for devices as `executors.slots` says: one that has to wait has a device kept for it.

An attempt that ended, by how it ended:

    interrupted before this start                               again, as it was
    interrupted since, by the window's end                      left
    interrupted since, otherwise                                again, `retries` times; then left
    failed by disk, busy, preflight: before this start          again, as it was
    the same since                                              left
    failed by killed, hung, other                               again, `retries` times; then its fallback
    all other failures, and timeouts                            the fallback of its kind, once each; then lost

Skips for need, gate and base stand as long as their reason does, and are written down once; a decision stands
while the finished runs are those it was made from, and for ever once a job was begun by it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from ctexp.executors.slots import Slots
from ctexp.planning.plan.jobs import Job
from ctexp.queue.deciding.packed import packed
from ctexp.queue.deciding.room import Room, room
from ctexp.queue.deciding.verdicts import (
    Begin,
    Choice,
    Decide,
    Held,
    Left,
    Now,
    Over,
    Packed,
    Running,
    Skip,
    Stop,
    Verdict,
)
from ctexp.queue.journal import Event
from ctexp.queue.orders import Orders
from ctexp.queue.state import NOT_ITS_FAULT, JobNow, Night, finished

RETRIED = frozenset({"killed", "hung", "other"})
"""Failures that may not come again by themselves."""

FALLBACK_OF = {"oom": "oom", "diverged": "diverged", "limit": "timeout", "hung": "timeout", "data": "data"}
"""Which fallback a cause calls for; `other` for all that are not here."""


def choose(orders: Orders, night: Night, now: Now) -> Choice:
    """What comes next of the whole queue."""
    tonight = look(orders, night, now)
    skips: list[Skip] = []
    for _, verdict in tonight.verdicts:
        if isinstance(verdict, Skip):
            skips.append(verdict)
        elif isinstance(verdict, Begin | Decide | Stop):
            final = tuple(skip for skip in skips if skip.why != "window")
            return Choice(final, verdict, tonight.packed)
    if any(job.state == "running" for job in night.jobs.values()):  # it may be over before anybody expects
        skips = [skip for skip in skips if skip.why != "window"]
    return Choice(tuple(skips), None, tonight.packed)


def left_to_do(orders: Orders, night: Night, only: Iterable[str] | None = None) -> list[str]:
    """The jobs that a new start would take up, if it had all the time and disk there is."""
    start: Event = {"seq": 1 + max((job.at for job in night.jobs.values()), default=0)}
    asked = {"only": None if only is None else list(only), "closes_uptime": None}
    fresh = replace(night, begins=[*night.begins, start | asked])
    everything = Now(uptime=0.0, disk_free=2**63)
    return [
        job.id
        for job, verdict in survey(orders, fresh, everything)
        if isinstance(verdict, Begin | Decide | Held | Running)
    ]


def survey(orders: Orders, night: Night, now: Now) -> Iterator[tuple[Job, Verdict]]:
    """The verdict on each job, in the order they are looked at, each in the light of those before it."""
    return look(orders, night, now).verdicts


class Tonight(NamedTuple):
    """All that can be said of the jobs now.

    Attributes:
        room: that there is.
        packed: how what may still be begun is packed into the window; None where all of it fits.
        verdicts: on each job, worked out while they are asked for; see `survey`.
    """

    room: Room
    packed: Packed | None
    verdicts: Iterator[tuple[Job, Verdict]]


def look(orders: Orders, night: Night, now: Now) -> Tonight:
    """Look at all jobs as they are now."""
    its_room = room(orders, night, now)
    its_packed = None
    if its_room.seconds is not None:
        its_packed = packed(orders, night, its_room, [*_verdicts(orders, night, orders.jobs, None)])
    jobs = its_packed.jobs if its_packed else orders.jobs
    verdicts = zip(jobs, _verdicts(orders, night, jobs, its_room), strict=True)
    return Tonight(its_room, its_packed, verdicts)


def _verdicts(orders: Orders, night: Night, jobs: Sequence[Job], its_room: Room | None) -> Iterator[Verdict]:
    """The verdict on each of all jobs, which come after what they wait for; room None for all there is."""
    awaited: dict[str, _Experiment] = {}
    only = night.begins[-1].get("only") if night.begins else None
    asked = None if only is None else frozenset(only)
    running = [job for job in night.jobs.values() if job.state == "running"]
    slots = None
    if its_room is not None and orders.devices:
        slots = Slots(orders.devices, [(job.device or "", orders.need(job.id)) for job in running])
    rules = _Rules(orders, night, its_room, asked, awaited, slots)
    for job in jobs:
        verdict = rules.verdict(job)
        awaited.setdefault(job.experiment, _Experiment()).add(night.jobs[job.id], verdict)
        yield verdict


@dataclass
class _Experiment:
    """How far its jobs are, as those that wait for it see it: the first of each kind is named."""

    members: list[JobNow] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    lost: str | None = None
    left: tuple[str, Literal["window", "need"]] | None = None

    def add(self, job: JobNow, verdict: Verdict) -> None:
        self.members.append(job)
        match verdict:
            case Over(done=True):
                pass
            case Left(why) | Skip(why="window" as why):
                self.left = self.left or (job.id, why)
            case Over() | Skip():
                self.lost = self.lost or job.id
            case _:
                self.unfinished.append(job.id)


@dataclass(frozen=True)
class _Rules:
    """What all verdicts of one survey have in common."""

    orders: Orders
    night: Night
    room: Room | None
    only: frozenset[str] | None
    awaited: Mapping[str, _Experiment]
    slots: Slots | None

    def verdict(self, job: Job) -> Verdict:
        """The first rule that fits."""
        state = self.night.jobs[job.id]
        if state.state == "done":
            return Over(done=True)
        if state.state == "running":
            return Running()
        if state.cancelled:
            written = state.state != "interrupted" and state.kind == "cancelled"
            dropped = Skip(job.id, "cancelled", "dropped by hand")
            return Over(done=False) if written or state.state in {"failed", "timeout"} else dropped
        ended = self._after_its_end(job, state)
        if not isinstance(ended, Begin):
            return ended
        if self.only is not None and job.id not in self.only:
            return Left("need")
        if state.state == "skipped" and state.kind == "window" and state.at > self.night.began_at:
            return Left("window")
        found = self._held_back(job) or (self.room and self.room.too_little(job)) or ended
        if isinstance(found, Skip) and state.state == "skipped" and state.kind == found.why != "window":
            return Over(done=False)
        return self._placed(found) if isinstance(found, Begin) and self.slots else found

    def _placed(self, begin: Begin) -> Begin | Held:
        """On a device, or in line for one behind those that run."""
        assert self.slots is not None  # noqa: S101 - asked by its caller
        device = self.slots.take(self.orders.need(begin.job))
        if device is not None:
            return replace(begin, device=device.name)
        return Held(tuple(job.id for job in self.night.jobs.values() if job.state == "running"))

    def _after_its_end(self, job: Job, state: JobNow) -> Begin | Over | Left:
        """Whether it is begun, and with which fallback, going by its attempts alone."""
        if not state.attempts:
            return Begin(job.id)
        last = state.attempts[-1]
        as_it_was = Begin(job.id, last.fallback)
        cause = last.end.get("cause") if last.end else None
        interrupted = last.end is None or last.end["state"] == "interrupted"
        tries_left = self._tries(state) <= self.orders.retries
        if interrupted or cause in NOT_ITS_FAULT:
            if last.start["seq"] < self.night.began_at or (interrupted and cause != "window" and tries_left):
                return as_it_was
            return Left("window" if interrupted else "need")
        if last.refused or (cause in RETRIED and tries_left):
            return as_it_was
        fallback = FALLBACK_OF.get(cause or "", "other")
        tried = {attempt.fallback for attempt in state.attempts}
        if fallback in job.fallback and fallback not in tried:
            return Begin(job.id, fallback)
        return Over(done=False)

    def _tries(self, state: JobNow) -> int:
        """How often its newest form has failed in a way that may not come again."""
        return sum(
            attempt.fallback == state.attempts[-1].fallback
            and attempt.end is not None
            and (
                attempt.start["seq"] > self.night.began_at
                if attempt.end["state"] == "interrupted"
                else attempt.end.get("cause") in RETRIED
            )
            for attempt in state.attempts
        )

    def _held_back(self, job: Job) -> Held | Skip | Decide | None:
        """By what it waits for: experiments, a gate, a base."""
        if unknown := tuple(name for name in job.waits_for if name not in self.awaited):
            return Held(unknown)
        waits = [self.awaited[name] for name in job.waits_for]
        if unfinished := tuple(one for experiment in waits for one in experiment.unfinished):
            return Held(unfinished)
        for name in job.needs:
            if lost := self.awaited[name].lost:
                return Skip(job.id, "need", f"needs {name}: {self._how(lost)}")
        for experiment in waits:
            if experiment.left:
                other, why = experiment.left
                return Skip(job.id, why, f"waits for {other}, which is left for another start")
        if job.gate:
            decision = self._decided("gate", job, (job.gate.after,))
            if decision is None:
                return Decide("gate", job.experiment)
            if not decision["passed"]:
                return Skip(job.id, "gate", _not_passed(decision))
        if job.base:
            decision = self._decided("base", job, job.base.best_of)
            if decision is None:
                return Decide("base", job.experiment)
            if decision["winner"] is None:
                return Skip(job.id, "base", f"no run of {', '.join(job.base.best_of)} has finished")
        return None

    def _how(self, job_id: str) -> str:
        """How a job was lost, in a few words; its skip may stand in this very survey."""
        state = self.night.jobs[job_id]
        if state.state not in {"failed", "timeout"}:
            return f"{job_id} was skipped"
        return f"{job_id} ended as {state.state}" + (f" ({state.kind})" if state.kind else "")

    def _decided(self, what: str, job: Job, by: Sequence[str]) -> Event | None:
        """The decision that stands; None where there is none, or its ground has moved."""
        decision = self.night.decisions.get((what, job.experiment))
        if decision is None or any(one.attempts for one in self.night.of(self.orders, job.experiment)):
            return decision
        ground = finished(one for name in by for one in self.awaited[name].members)
        return decision if decision["runs"] == ground else None


def _not_passed(decision: Event) -> str:
    what = f"{decision['metric']} of {decision['after']}"
    if decision["observed"] is None:
        return f"{what} is not known: no finished run tells"
    return f"{what} is {decision['observed']:.4g}, not {decision['op']} {decision['value']:g}"
