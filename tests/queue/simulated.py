"""Whole nights on a clock of their own: the real rules, with programs that take as long as they like.

What decides is real: `choose` with its packing and renewed lengths, gates and bases, the pause and the wait
for the GPU, what an attempt is, when it is asked to stop, how long the analysis has. What is made up is time:
each program takes up to three times its p50, fails now and then, and uses up to all of its grace when it is
asked to stop.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ctexp.planning.plan.jobs import BaseRule, GateRule, Job, in_order
from ctexp.queue import left, measured, step
from ctexp.queue.attempting import beginning, cooldown
from ctexp.queue.deciding.choose import look
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.packed import news
from ctexp.queue.deciding.room import latest_begin, least
from ctexp.queue.deciding.verdicts import Begin, Decide, Now, Skip
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import Night, fold, one_end
from tests.queue.stories import PLENTY, orders
from tests.queue.written import job

POLL, KILLED, PROGRAM = 0.2, 2.0, 0.3
"""Seconds between two looks at a program, until killed ones are gone, and until a program of ours works."""

PAGE = 3.0
KINDS = ("oom", "diverged", "timeout", "other")


def plan(dice: random.Random) -> Orders:
    """Up to seven experiments of up to three seeds; each may wait for earlier ones in every way."""
    jobs: list[Job] = []
    names = [f"e{number}" for number in range(dice.randint(1, 7))]
    for index, name in enumerate(names):
        earlier = names[:index]
        best_of = dice.sample(earlier, min(len(earlier), 2)) if dice.random() < 0.2 else []
        gate = GateRule(dice.choice(earlier), "val/macro_f1", ">=", 0.5) if earlier else None
        changes: dict[str, Any] = {
            "needs": tuple(dice.sample(earlier, 1)) if earlier and dice.random() < 0.3 else (),
            "gate": gate if dice.random() < 0.2 else None,
            "base": BaseRule(tuple(best_of), None) if best_of else None,
            "fallback": dict.fromkeys(dice.sample(KINDS, dice.randint(0, 2)), ("x=1",)),
            "priority": dice.choice((0, 0, 0, 0, 1, 5)),
            "worth": dice.choice((0.5, 1.0, 1.0, 4.0)),
            "shorten": dice.random() < 0.2,
            "limit_seconds": dice.choice((None, None, None, 3600.0)),
        }
        jobs += [job(name, seed, **changes) for seed in range(1, dice.randint(1, 3) + 1)]
    return orders(
        in_order(jobs),
        {one.id: cost for one in jobs if (cost := _cost(dice))},
        pause_seconds=dice.choice((0.0, 10.0, 300.0)),
        cooldown_seconds=dice.choice((60.0, 900.0)),
        gpu_uuid=dice.choice((None, "GPU-1")),
        grace_seconds=dice.choice((0.0, 20.0, 120.0, 600.0)),
        analysis_seconds=dice.choice((60.0, 600.0, 1800.0)),
        analysis=("compare", "errors", "report")[: dice.randint(0, 3)],
        retries=dice.randint(0, 2),
    )


def _cost(dice: random.Random) -> Cost | None:
    if dice.random() < 0.15:
        return None
    p50 = 60 * dice.lognormvariate(2.7, 1.0)
    return Cost(p50, p50 * dice.uniform(1.0, 2.0))


@dataclass
class Simulated:
    """A night, from its beginning to its end.

    Attributes:
        closes: the window's end, and `over` when the last of the night was done; uptime.
        begun: what was begun, with the orders' view of the moment before: see `Chosen`.
        code: why its loop ended.
    """

    orders: Orders
    dice: random.Random
    now: float = 1000.0
    closes: float = 0.0
    over: float = 0.0
    code: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    begun: list["Chosen"] = field(default_factory=list)

    @property
    def night(self) -> Night:
        """As the journal has it."""
        return fold(self.orders, self.events)

    def append(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write an event down; the journal's own name for it."""
        event = {"seq": len(self.events) + 1, "uptime": round(self.now, 3), "kind": kind, **fields}
        if kind == "end":
            one_end(fields["job"], fields["attempt"])(self.events)
        self.events.append(event)
        return event

    def wait(self, seconds: float) -> None:
        """As signals are waited for: time goes by, however little, and none comes."""
        self.now += max(0.001, seconds)

    stopped_by = None

    def start(self, window: float) -> None:
        """One start of the script, to its end."""
        self.closes = self.now + window
        self.append("begin", only=None, closes_uptime=self.closes)
        slow = self.dice.uniform(0.5, 2.0)
        self.pace = {one.experiment: slow * self.dice.uniform(0.6, 1.6) for one in self.orders.jobs}
        self.code = 0
        with _patched(self):
            while (key := self._next()) and not self.code:
                self.code = self._run(key)
            self._analyse()
        self.over = self.now

    def _next(self) -> Begin | None:
        self.now += PROGRAM
        while True:
            night = self.night
            tonight = look(self.orders, night, Now(self.now, PLENTY))
            verdicts = list(tonight.verdicts)
            chosen = next((one for _, one in verdicts if isinstance(one, Begin | Decide)), None)
            for _, one in verdicts if chosen is None else verdicts[: [v for _, v in verdicts].index(chosen)]:
                if isinstance(one, Skip) and (chosen is None or one.why != "window"):
                    self.append("skip", job=one.job, why=one.why, reason=one.reason)
            match chosen:
                case Decide() as wanted:
                    self.append("decision", **decision(self.orders, night, wanted))
                case Begin() as begin:
                    if event := news(self.orders, night, tonight.packed):
                        self.append("pack", **event)
                    ready = [one.id for one, v in verdicts if isinstance(v, Begin) and one.id != begin.job]
                    fits = [
                        one
                        for one in ready
                        if tonight.room.seconds is not None
                        and least(self.orders.job(one), tonight.room.lengths[one]) <= tonight.room.seconds
                    ]
                    self.begun.append(Chosen(begin, night, tuple(fits), tonight.packed is None))
                    return begin
                case _:
                    return None

    def _run(self, begin: Begin) -> int:
        """As `run.main`: cool down, begin, watch, end."""
        self.now += PROGRAM
        night = self.night
        since = [event for event in self.events if event["seq"] > night.began_at]
        latest = latest_begin(self.orders, night, begin.job)
        self.hot_until = self.now + self.dice.choice((0.0, 0.0, 30.0, 2000.0))
        cooldown.cool_down(self.orders, since, self, self, lambda _: None, latest=latest)  # type: ignore[arg-type]
        remaining = beginning.seconds_left(self.orders, night.begins[-1])
        assert remaining is not None
        if remaining < 0:
            return 0
        words = ("inv", "train", *self.orders.job(begin.job).overrides(begin.fallback))
        attempt = beginning.beginning(self.orders, self.night, begin.key, words, remaining)
        fields = {"job": begin.job, "attempt": attempt.number}
        self.append(
            "start",
            **fields,
            mode=attempt.mode,
            fallback=attempt.fallback,
            run=attempt.run,
            deviations=list(attempt.deviations),
        )
        began = self.now
        takes = self._takes(attempt)
        windows_end = began + max(0.0, beginning.seconds_left(self.orders, night.begins[-1]) or 0.0) + POLL
        limits_end = began + (attempt.limit_seconds or float("inf")) + POLL
        asked = min(windows_end, limits_end)
        stop = None if began + takes <= asked else "window" if asked == windows_end else "limit"
        if stop is None:
            self.now = began + takes
        else:
            self.now = asked + min(
                self.dice.uniform(0, 2) * self.orders.grace_seconds, self.orders.grace_seconds
            )
            self.now += self.dice.uniform(0, POLL + KILLED)
        state, cause = self._end(stop)
        run = attempt.run or f"{begin.job}.{attempt.number}"
        self.append(
            "end", **fields, state=state, cause=cause, run=run, seconds=round(self.now - began, 3), reason=""
        )
        return 124 if stop == "window" else 0

    def _takes(self, attempt: beginning.Beginning) -> float:
        """Up to three times its p50; of a job that goes on, what its run has not done."""
        job_id = attempt.job.id
        cost = self.orders.costs.get(job_id)
        likely = (cost.seconds if cost else None) or 60 * self.dice.lognormvariate(2.7, 1.0)
        factor = min(3.0, self.pace[attempt.job.experiment] * self.dice.uniform(0.8, 1.25))
        whole = likely * factor
        asked = [word for word in attempt.argv if word.startswith("trainer.max_minutes=")]
        if asked:  # what comes before and after the training comes on top
            whole = min(whole, 60 * float(asked[0].partition("=")[2])) + self.dice.uniform(0, 60)
        spent: float = sum(
            one.end.get("seconds", 0.0)
            for one in self.night.jobs[job_id].attempts
            if one.end and attempt.run and one.run == attempt.run
        )
        return max(1.0, (whole - spent) * self.dice.choice((1.0, 1.0, 1.0, 0.1)))

    def _end(self, stop: str | None) -> tuple[str, str | None]:
        if stop:
            return ("interrupted", "window") if stop == "window" else ("timeout", "limit")
        causes = ("oom", "diverged", "killed", "other", "data")
        cause = self.dice.choice([*causes, *[None] * 20])
        return ("failed", cause) if cause else ("done", None)

    def _analyse(self) -> None:
        """As `step.main`, for each step; then the page."""
        for name in self.orders.analysis:
            self.now += PROGRAM
            limit = step.time_left(self.orders, self.night, self.now)
            if not limit:
                continue
            takes = self.dice.uniform(0, 2) * self.orders.analysis_seconds
            if takes > limit:
                takes = limit + self.dice.uniform(0, step.grace(self.orders))
            self.now += takes
            self.append("step", name=name, seconds=takes, exit_code=0, log="x")
        self.now += self.dice.uniform(0, PAGE)


@dataclass(frozen=True)
class Chosen:
    """What was begun, and what could have been.

    Attributes:
        night: before it.
        others: ids of other jobs that could have been begun then, and had the time.
        plain: whether the order was that of running.
    """

    begin: Begin
    night: Night
    others: tuple[str, ...]
    plain: bool


@contextmanager
def _patched(night: Simulated) -> Iterator[None]:
    """The programs' clocks are the night's; every run tells some value, and can be gone on with."""

    def hindrances(*_: Any) -> list[Any]:
        return [cooldown._Hindrance("90 °C")] if night.now < night.hot_until else []

    def value(_: Path, run: str, __: str) -> dict[str, Any]:
        return {"value": random.Random(run).random()}

    with (
        patch.object(cooldown, "uptime", lambda: night.now),
        patch.object(beginning, "uptime", lambda: night.now),
        patch.object(time, "monotonic", lambda: night.now),
        patch.object(cooldown, "_hindrances", hindrances),
        patch.object(left, "resumable", lambda *_: True),
        patch.object(measured, "value", value),
    ):
        yield
