"""What comes next: a pure function of the orders, the night so far, the clock and the disk.

Jobs are looked at in the order of running. For each the first rule that fits decides:

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
    16  otherwise                                               begin

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
from typing import Literal

from ctexp.core import clock
from ctexp.core.errors import StorageError
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job
from ctexp.queue.deciding.verdicts import (
    Begin,
    Choice,
    Decide,
    Held,
    Left,
    Now,
    Over,
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
    skips: list[Skip] = []
    for _, verdict in survey(orders, night, now):
        if isinstance(verdict, Skip):
            skips.append(verdict)
        elif isinstance(verdict, Begin | Decide | Stop):
            return Choice(tuple(skips), verdict)
    return Choice(tuple(skips), None)


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
    """The verdict on each job, in the order of running, each in the light of those before it."""
    awaited: dict[str, _Experiment] = {}
    begin = night.begins[-1] if night.begins else {}
    only = begin.get("only")
    tonight = _Tonight(
        orders=orders,
        night=night,
        now=now,
        only=None if only is None else frozenset(only),
        closes=begin.get("closes_uptime"),
        awaited=awaited,
    )
    for job in orders.jobs:
        verdict = tonight.verdict(job)
        awaited.setdefault(job.experiment, _Experiment()).add(night.jobs[job.id], verdict)
        yield job, verdict


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
class _Tonight:
    """What all verdicts of one survey have in common."""

    orders: Orders
    night: Night
    now: Now
    only: frozenset[str] | None
    closes: float | None
    awaited: Mapping[str, _Experiment]

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
        found = self._held_back(job) or self._without_room(job, state) or ended
        if isinstance(found, Skip) and state.state == "skipped" and state.kind == found.why != "window":
            return Over(done=False)
        return found

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
        if cause in RETRIED and tries_left:
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

    def _without_room(self, job: Job, state: JobNow) -> Skip | Stop | None:
        """Too little time, or too little disk."""
        cost = self.orders.costs.get(job.id)
        if self.closes is not None:
            remaining = self.closes - self.now.uptime - self.orders.analysis_seconds
            needed, said = self._needed(job, state)
            if remaining < (min(LEAST_SECONDS, needed) if job.shorten else needed):
                reason = f"needs {said}, {clock.duration(max(0.0, remaining))} are left"
                return Skip(job.id, "window", reason)
        expected = (cost.disk_bytes if cost else None) or 0
        if self.now.disk_free < self.orders.disk_reserve_bytes + expected:
            reserve = f"{_gb(self.orders.disk_reserve_bytes)} are to stay free"
            reason = f"{self.orders.runs}: {_gb(self.now.disk_free)} are free, {job.id} needs {_gb(expected)}"
            return Stop(StorageError.exit_code, f"{reason}, and {reserve}")
        return None

    def _needed(self, job: Job, state: JobNow) -> tuple[float, str]:
        """Seconds that have to be left for it, and how that is said; what its run has done is done."""
        cost = self.orders.costs.get(job.id)
        expected = None if cost is None else cost.seconds_p90 or cost.seconds
        if expected is None:
            return LEAST_SECONDS, f"at least {clock.duration(LEAST_SECONDS)} (its cost is unknown)"
        if job.limit_seconds is not None:
            expected = min(expected, job.limit_seconds)
        run = state.attempts[-1].run if state.attempts else None
        spent = sum(
            (one.end.get("seconds") or 0.0)
            for one in state.attempts
            if run and one.end and one.run == run and one.end["state"] == "interrupted"
        )
        needed = max(min(LEAST_SECONDS, expected), expected - spent)
        return needed, f"{clock.duration(needed)} (p90)"


def _not_passed(decision: Event) -> str:
    what = f"{decision['metric']} of {decision['after']}"
    if decision["observed"] is None:
        return f"{what} is not known: no finished run tells"
    return f"{what} is {decision['observed']:.4g}, not {decision['op']} {decision['value']:g}"


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
