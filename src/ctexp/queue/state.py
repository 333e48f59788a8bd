"""What a journal amounts to: the state of every job, as a fold over the events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ctexp.queue.journal import Check, Event
from ctexp.queue.orders import Orders

JobState = Literal["pending", "running", "done", "failed", "timeout", "skipped", "interrupted"]

Ended = Literal["done", "failed", "timeout", "interrupted"]
"""How an attempt ends."""

_REFUSED = frozenset({2, 3})
"""Exit codes of bad input: to go on with."""

NOT_ITS_FAULT = frozenset({"disk", "busy", "preflight"})
"""Kinds of failure after which a job is taken up again at the next start: the machine's, not its own."""


@dataclass
class Attempt:
    """One start of a job.

    Attributes:
        mode: `new`, or `resume`, which goes on with `run`.
        fallback: the kind of failure whose overrides it has; None for the job as planned.
        start: the event; end: the terminal one, None while it runs, and after a kill nobody saw.
    """

    number: int
    mode: str
    fallback: str | None
    start: Event
    end: Event | None = None

    @property
    def run(self) -> str | None:
        """The run's id, as far as it is known."""
        ended: str | None = self.end.get("run") if self.end else None
        begun: str | None = self.start.get("run")
        return ended or begun

    @property
    def refused(self) -> bool:
        """Whether its program could not go on with what is there: damaged checkpoints, other data."""
        return self.mode == "resume" and self.end is not None and self.end.get("exit_code") in _REFUSED


@dataclass
class JobNow:
    """A job, as far as it has come.

    Attributes:
        kind: of a failure (`oom`, `diverged`, `data`, `disk`, …), an interruption or a skip (`need`, `gate`,
            `base`, `window`, `cancelled`); None for the other states.
        reason: one line.
        device: that its newest attempt was given; None where jobs come one after the other.
        at: the place of the last event about it in the journal.
    """

    id: str
    state: JobState = "pending"
    kind: str | None = None
    reason: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    cancelled: bool = False
    device: str | None = None
    at: int = 0

    @property
    def open(self) -> Attempt | None:
        """The attempt that has not been seen to end."""
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.end is None else None

    @property
    def run(self) -> str | None:
        """The newest run of it, and for a job that is done the one that counts."""
        return next((attempt.run for attempt in reversed(self.attempts) if attempt.run), None)

    @property
    def shortened(self) -> bool:
        """Whether the run that its newest attempt works on was given less time than planned."""
        last = self.attempts[-1]
        same = (one for one in self.attempts if one is last or (one.run and one.run == last.run))
        return any(line.startswith("window:") for one in same for line in one.start.get("deviations", ()))

    @property
    def deviations(self) -> list[str]:
        """How it departed from the plan, each line once: fallbacks, shorter training."""
        told = (line for attempt in self.attempts for line in attempt.start.get("deviations", ()))
        return list(dict.fromkeys(told))


@dataclass
class Night:
    """A queue, as far as it has come.

    Attributes:
        jobs: by id, in the order of running.
        begins: one event for each start of the script.
        closes: one for each end of it that was seen.
        decisions: gates (`what: gate`) and bases (`what: base`), by the experiment they hold back.
        steps: the last event of each step of the analysis, by name.
        packs: one event for each time that the jobs left were packed into the window otherwise than before.
    """

    jobs: dict[str, JobNow]
    begins: list[Event] = field(default_factory=list)
    closes: list[Event] = field(default_factory=list)
    decisions: dict[tuple[str, str], Event] = field(default_factory=dict)
    steps: dict[str, Event] = field(default_factory=dict)
    packs: list[Event] = field(default_factory=list)

    def of(self, orders: Orders, experiment: str) -> list[JobNow]:
        """The jobs of an experiment."""
        return [self.jobs[job.id] for job in orders.of(experiment)]

    @property
    def asked(self) -> list[JobNow]:
        """The jobs that its newest start was asked for."""
        only = self.begins[-1].get("only") if self.begins else None
        return [job for job in self.jobs.values() if only is None or job.id in only]

    @property
    def began_at(self) -> int:
        """`seq` of the newest start; what was skipped or stopped before it is looked at anew."""
        return int(self.begins[-1]["seq"]) if self.begins else 0


def fold(orders: Orders, events: Iterable[Event]) -> Night:
    """The state of every job after these events; events of unknown kinds or jobs say nothing."""
    night = Night({job.id: JobNow(job.id) for job in orders.jobs})
    for event in events:
        _take(night, event)
    return night


def finished(jobs: Iterable[JobNow]) -> list[str]:
    """The runs that count of those jobs that are done, sorted."""
    return sorted(job.run for job in jobs if job.state == "done" and job.run)


def one_end(job: str, attempt: int) -> Check:
    """An attempt that was begun ends, and ends once: else a ValueError keeps its end out of the journal."""

    def check(events: Sequence[Event]) -> None:
        mine = [e["kind"] for e in events if e.get("job") == job and e.get("attempt") == attempt]
        if "start" not in mine or "end" in mine:
            how = "has ended already" if "end" in mine else "was not begun"
            raise ValueError(f"attempt {attempt} of {job} {how}")

    return check


def _take(night: Night, event: Mapping[str, Any]) -> None:
    kind, event = event["kind"], dict(event)
    match kind:
        case "begin":
            night.begins.append(event)
        case "close":
            night.closes.append(event)
        case "decision":
            night.decisions[event["what"], event["experiment"]] = event
        case "step":
            night.steps[event["name"]] = event
        case "pack":
            night.packs.append(event)
    job = night.jobs.get(event.get("job", ""))
    if job is None:
        return
    job.at = event["seq"]
    match kind:
        case "start":
            job.attempts.append(Attempt(event["attempt"], event["mode"], event.get("fallback"), event))
            job.state, job.kind, job.reason = "running", None, ""
        case "end":
            found = next((one for one in job.attempts if one.number == event["attempt"]), None)
            if found is not None:
                found.end = event
            job.state, job.kind, job.reason = event["state"], event.get("cause"), event.get("reason", "")
        case "place":
            job.device = event["device"]
        case "skip":
            job.state, job.kind, job.reason = "skipped", event["why"], event["reason"]
        case "cancel":
            job.cancelled = True
            if job.state in {"pending", "interrupted"}:
                job.state, job.kind, job.reason = "skipped", "cancelled", "dropped by hand"
