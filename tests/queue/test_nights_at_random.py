"""Nights of random plans in which anything happens: what must hold of every one of them."""

from collections import Counter
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ctexp.planning.plan.jobs import BaseRule, GateRule, Job, in_order
from ctexp.queue import measured
from ctexp.queue.deciding.choose import left_to_do
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.verdicts import Begin, Decide
from ctexp.queue.orders import Cost
from ctexp.queue.state import fold
from tests.queue.stories import Story
from tests.queue.written import job

ENDS: list[tuple[str, str | None]] = [
    ("done", None),
    ("done", None),
    ("timeout", "limit"),
    ("interrupted", "signal"),
    ("interrupted", "window"),
    ("interrupted", "killed"),
    *(("failed", cause) for cause in ("oom", "diverged", "data", "disk", "busy", "killed", "hung", "other")),
]
OVER = {"done", "failed", "timeout", "skipped"}
KINDS = ("oom", "diverged", "timeout", "other")


@st.composite
def plans(draw: Any) -> list[Job]:
    """Up to six experiments of up to three seeds; each may wait for earlier ones in every way."""
    jobs: list[Job] = []
    names = [f"e{number}" for number in range(draw(st.integers(1, 6)))]
    for index, name in enumerate(names):
        earlier = names[:index]
        some = st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
        best_of = draw(some)
        changes: dict[str, Any] = {
            "needs": tuple(draw(some)),
            "gate": GateRule(draw(st.sampled_from(earlier)), "val/macro_f1", ">=", 0.5)
            if earlier and draw(st.booleans())
            else None,
            "base": BaseRule(tuple(best_of), None) if best_of else None,
            "fallback": dict.fromkeys(draw(st.sets(st.sampled_from(KINDS))), ("x=1",)),
            "priority": draw(st.integers(-1, 1)),
            "shorten": draw(st.booleans()),
        }
        jobs += [job(name, seed, **changes) for seed in range(1, draw(st.integers(1, 3)) + 1)]
    return in_order(jobs)


class Nights(RuleBasedStateMachine):
    """The queue's programs, without processes; each rule is one thing that can happen."""

    @initialize(jobs=plans(), retries=st.integers(0, 2), data=st.data())
    def plan(self, jobs: list[Job], retries: int, data: st.DataObject) -> None:
        seconds = st.sampled_from([None, 100.0, 2000.0])
        costs = {one.id: Cost(None, data.draw(seconds)) for one in jobs}
        self.story = Story(*jobs, costs=costs, retries=retries)
        self.uptime = 0.0
        self.running: str | None = None
        self.values: dict[str, float] = {}

    @rule(window=st.sampled_from([None, 900.0, 4000.0]), only=st.none() | st.sets(st.integers(0, 17)))
    def begin(self, window: float | None, only: set[int] | None) -> None:
        """The script is started, whatever it was doing before: the old one is dead by now."""
        if self.running:
            self.end("interrupted", "killed")
        ids = [one.id for one in self.story.orders.jobs]
        self.story.begin(
            closes_uptime=None if window is None else self.uptime + window,
            only=None if only is None else [ids[index % len(ids)] for index in only],
        )

    @precondition(lambda self: self.running is None)
    @rule()
    def next(self) -> None:
        before = self.story.night
        while True:
            choice = self.story.choice(self.uptime)
            for skip in choice.skips:
                self.story.skip(skip.job, skip.why)
            if not isinstance(choice.then, Decide):
                break
            with patch.object(measured, "value", lambda _, run, __: {"value": self.values[run]}):
                wanted = decision(self.story.orders, self.story.night, choice.then)
            self.story.tell("decision", **wanted)
        if isinstance(choice.then, Begin):
            self.check_begin(choice.then)
            self.story.start(choice.then.job, choice.then.fallback)
            self.running = choice.then.job
        assert before.jobs.keys() == self.story.night.jobs.keys()

    @precondition(lambda self: self.running is not None)
    @rule(end=st.sampled_from(ENDS), value=st.floats(0, 1), seconds=st.floats(0, 3000))
    def attempt_ends(self, end: tuple[str, str | None], value: float, seconds: float) -> None:
        self.uptime += seconds
        self.end(*end, value=value)

    @rule(index=st.integers(0, 17))
    def cancel(self, index: int) -> None:
        jobs = self.story.orders.jobs
        chosen = jobs[index % len(jobs)].id
        if self.story.night.jobs[chosen].state not in OVER:
            self.story.tell("cancel", job=chosen, by="me")

    def end(self, state: str, cause: str | None, value: float = 0.5) -> None:
        assert self.running is not None
        mine = self.story.night.jobs[self.running]
        run = f"{self.running}.{len(mine.attempts)}"
        self.values[run] = value
        fields = {"state": state, "cause": cause, "run": run, "seconds": 1.0, "reason": ""}
        self.story.tell("end", job=self.running, attempt=len(mine.attempts), **fields)
        self.running = None

    def check_begin(self, chosen: Begin) -> None:
        """Nothing is begun that is over, not asked for, or waits for anything."""
        orders, night = self.story.orders, self.story.night
        planned, now = orders.job(chosen.job), night.jobs[chosen.job]
        assert now.state != "done"
        assert not now.cancelled
        only = night.begins[-1]["only"]
        assert only is None or chosen.job in only
        for name in planned.needs:
            assert all(one.state == "done" for one in night.of(orders, name))
        for name in planned.waits_for:
            assert all(one.state in OVER for one in night.of(orders, name))
        if planned.gate:
            assert night.decisions["gate", planned.experiment]["passed"]
        if planned.base:
            winner = night.decisions["base", planned.experiment]["winner"]
            assert any(one.state == "done" for one in night.of(orders, winner))

    @invariant()
    def every_attempt_ends_once_and_what_is_done_stays_done(self) -> None:
        if not hasattr(self, "story"):
            return
        events = self.story.events
        starts = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "start")
        ends = Counter((e["job"], e["attempt"]) for e in events if e["kind"] == "end")
        assert set(starts.values()) <= {1}
        assert set(ends.values()) <= {1}
        assert len(starts - ends) == (self.running is not None)
        done = {e["job"]: e["seq"] for e in events if e["kind"] == "end" and e["state"] == "done"}
        assert all(self.story.night.jobs[job].state == "done" for job in done)
        late = [e for e in events if e["kind"] == "start" and e["seq"] > done.get(e["job"], e["seq"])]
        assert late == []

    @invariant()
    def no_job_is_begun_more_often_in_a_start_than_its_plan_allows(self) -> None:
        if not hasattr(self, "story"):
            return
        orders, night = self.story.orders, self.story.night
        since = [e for e in self.story.events if e["seq"] > night.began_at and e["kind"] == "start"]
        for (name, fallback), count in Counter((e["job"], e["fallback"]) for e in since).items():
            assert count <= 1 + orders.retries, (name, fallback)

    def teardown(self) -> None:
        """Begun again with all the time there is, and spared from now on, every job comes to one end."""
        if not hasattr(self, "story"):
            return
        self.begin(None, None)
        for _ in range(1 + 4 * len(self.story.orders.jobs)):
            self.next()
            if self.running is None:
                break
            self.end("done", None)
        night = self.story.night
        assert self.running is None
        assert {one.state for one in night.jobs.values()} <= OVER
        assert left_to_do(self.story.orders, night) == []
        told = len(self.story.events)
        self.begin(None, None)
        self.next()
        assert len(self.story.events) == told + 1, "nothing is left to say, either"
        for length in range(told + 1):
            fold(self.story.orders, self.story.events[:length])


TestNights = Nights.TestCase
TestNights.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
