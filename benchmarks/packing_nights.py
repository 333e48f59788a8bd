"""Small nights in which everything that can happen is gone through: what a way of choosing jobs is worth.

A duration is one of four points of its lognormal distribution, rounded to whole units of time; a gate is
passed as often as not. A state is what is left to do and the time that is left, and a choice sees no more of
the future than that. So the expected worth of a choice is computed exactly, and so is the greatest that any
choice can have (stochastic dynamic programming over all states, Bellman 1957), under the same rules: a job is
begun only where its p90 is left, after all it waits for, and of those that can be begun one of the greatest
priority.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

from ctexp.planning.packing.pack import Length, pack
from ctexp.planning.plan.jobs import GateRule, Job, BaseRule, in_order

POINTS = ((0.05, 0.1), (0.3, 0.4), (0.7, 0.4), (0.95, 0.1))
"""Quantiles of a duration and how likely each is: one in ten takes longer than the p90."""

State = tuple[int, ...]
"""How many seeds of each experiment are left to do; below nothing where a gate was not passed."""

Worth = tuple[float, ...]
"""By priority, the greatest first."""


@dataclass(frozen=True)
class Trial:
    """An experiment.

    Attributes:
        needs: places of earlier ones.
        gate: place of an earlier one whose gate it has.
        best_of: places of earlier ones, of which one has to be done.
        begun: seeds that were done before.
    """

    worth: float
    seeds: int
    p50: int
    p90: int
    needs: tuple[int, ...] = ()
    gate: int | None = None
    best_of: tuple[int, ...] = ()
    priority: int = 0
    begun: int = 0

    @property
    def waits(self) -> tuple[int, ...]:
        """All that has to be over before."""
        return (*self.needs, *(() if self.gate is None else (self.gate,)), *self.best_of)

    @cached_property
    def durations(self) -> list[tuple[int, float]]:
        """Units of time, and how likely."""
        normal = NormalDist()
        factor = (self.p90 / self.p50) ** (1 / normal.inv_cdf(0.9))
        return [(max(1, round(self.p50 * factor ** normal.inv_cdf(at))), share) for at, share in POINTS]


@dataclass
class SmallNight:
    """A plan, and a window.

    Attributes:
        window: units of time.
        pause: the same, between two jobs.
    """

    trials: Sequence[Trial]
    window: int
    pause: int = 1
    known: dict[tuple[str, State, int], Worth] = field(default_factory=dict)

    @cached_property
    def jobs(self) -> list[Job]:
        """As the plan has them, in the order of running."""
        return in_order(
            [
                Job(
                    id=f"{_name(index)}-s{seed}",
                    experiment=_name(index),
                    seed=seed,
                    verb="train",
                    common=(),
                    own=(),
                    fixed=(),
                    needs=tuple(_name(other) for other in one.needs),
                    gate=None if one.gate is None else GateRule(_name(one.gate), "val/macro_f1", ">=", 0.5),
                    base=BaseRule(tuple(_name(other) for other in one.best_of), None) if one.best_of else None,
                    priority=one.priority,
                    worth=one.worth,
                )
                for index, one in enumerate(self.trials)
                for seed in range(one.begun, one.seeds)
            ]
        )

    @cached_property
    def place(self) -> dict[str, int]:
        """Of each experiment, by its name."""
        return {_name(index): index for index in range(len(self.trials))}

    @cached_property
    def lengths(self) -> dict[str, Length | None]:
        """By job id."""
        trials = {job.id: self.trials[self.place[job.experiment]] for job in self.jobs}
        return {name: Length(one.p50, one.p90) for name, one in trials.items()}

    @cached_property
    def priorities(self) -> list[int]:
        """All there are, the greatest first, what others wait for with the greatest of these."""
        return sorted(set(self.levels), reverse=True)

    @cached_property
    def levels(self) -> list[int]:
        """Of each experiment, at the beginning."""
        return self._levels(self.begin, self.window)

    @property
    def begin(self) -> State:
        """Nothing is done yet but what was done before."""
        return tuple(one.seeds - one.begun for one in self.trials)

    def startable(self, state: State, time: int) -> list[int]:
        """The experiments of which a job may be begun: those of the greatest priority that can be."""
        ready = [index for index in range(len(state)) if self._ready(index, state, time)]
        levels = self._levels(state, time) if ready else []
        greatest = max((levels[index] for index in ready), default=0)
        return [index for index in ready if levels[index] == greatest]

    def optimum(self) -> Worth:
        """The most that any choice can expect."""

        def best(state: State, time: int) -> Worth:
            key = ("optimum", state, time)
            if key not in self.known:
                every = (self._after(index, state, time, best) for index in self.startable(state, time))
                self.known[key] = max(every, key=_rounded, default=self._nothing)
            return self.known[key]

        return best(self.begin, self.window)

    def worth(self, name: str, choice: Callable[["SmallNight", State, int], int | None]) -> Worth:
        """What a choice expects.

        Args:
            name: of the choice, under which what was computed is kept.
            choice: the experiment of which a job is begun next; None for none.
        """

        def follow(state: State, time: int) -> Worth:
            key = (name, state, time)
            if key not in self.known:
                index = choice(self, state, time)
                self.known[key] = (
                    self._nothing if index is None else self._after(index, state, time, follow)
                )
            return self.known[key]

        return follow(self.begin, self.window)

    @property
    def _nothing(self) -> Worth:
        return (0.0,) * len(self.priorities)

    def _ready(self, index: int, state: State, time: int) -> bool:
        one = self.trials[index]
        over = all(state[other] <= 0 for other in one.waits)
        found = not one.best_of or any(state[other] == 0 for other in one.best_of)
        return state[index] > 0 and over and found and one.p90 <= time

    def _levels(self, state: State, time: int) -> list[int]:
        levels = [one.priority for one in self.trials]
        before: list[set[int]] = []
        possible: list[bool] = []
        for index, one in enumerate(self.trials):
            waits = [other for other in one.waits if state[other] > 0]
            before.append(set(waits).union(*(before[other] for other in waits)))
            taken = sum(state[other] * (self.trials[other].p50 + self.pause) for other in before[index])
            possible.append(all(possible[other] for other in waits) and taken + one.p90 <= time)
        for index in reversed(range(len(levels))):
            for other in before[index] if possible[index] and state[index] > 0 else ():
                levels[other] = max(levels[other], levels[index])
        return levels

    def _after(
        self, index: int, state: State, time: int, then: Callable[[State, int], Worth]
    ) -> Worth:
        """What a job of this experiment and all after it expect."""
        one = self.trials[index]
        following = self._states_after(index, state)
        gained = one.worth / one.seeds / 2 + (one.worth / 2 if state[index] == 1 else 0.0)
        level = self.priorities.index(self.levels[index])
        expected = [0.0] * len(self.priorities)
        for duration, likely in one.durations:
            if duration > time:
                continue
            expected[level] += likely * gained
            for next_state, chance in following:
                rest = then(next_state, time - duration - self.pause)
                for at, value in enumerate(rest):
                    expected[at] += likely * chance * value
        return tuple(expected)

    def _states_after(self, index: int, state: State) -> list[tuple[State, float]]:
        """What there is to do after one more seed: two ways it can go on for each gate that is decided by it."""
        left = [*state]
        left[index] -= 1
        ways: list[tuple[list[int], float]] = [(left, 1.0)]
        gated = [at for at, one in enumerate(self.trials) if one.gate == index and state[at] > 0]
        # Gates of one plan ask the same of the same experiment here: passed by all that have it, or by none.
        if gated and not left[index]:
            ways = [(left, 0.5), (self._without(left, gated), 0.5)]
        return [(tuple(way), chance) for way, chance in ways]

    def _without(self, left: Sequence[int], gated: Sequence[int]) -> list[int]:
        """What is left once these are not to be done, and none that needs them."""
        out = [*left]
        for at, one in enumerate(self.trials):
            lost = [other for other in (*one.needs, *(() if one.gate is None else (one.gate,))) if out[other] < 0]
            if out[at] > 0 and (at in gated or lost):
                out[at] = -1
        return out


def by_pack(night: SmallNight, state: State, time: int) -> int | None:
    """The first of what `pack` says that may be begun."""
    left = [job for job in night.jobs if _is_left(night, job, state)]
    done = {_name(at): one.seeds - max(0, state[at]) for at, one in enumerate(night.trials)}
    return _first(night, pack(left, night.lengths, time, night.pause, done).order, state, time)


def in_plan_order(night: SmallNight, state: State, time: int) -> int | None:
    """The first in the order of the plan that may be begun."""
    return _first(night, [job.id for job in night.jobs if _is_left(night, job, state)], state, time)


def small_night(draw: random.Random, with_priorities: bool) -> SmallNight:
    """One as it could be: about ten jobs, of which the window holds between a third and nine tenths."""
    trials: list[Trial] = []
    jobs = draw.randint(7, 11)
    while sum(one.seeds for one in trials) < jobs:
        index = len(trials)
        p50 = round(min(30.0, max(3.0, draw.lognormvariate(2.1, 0.6))))
        kind = draw.random() if trials else 1.0
        other = draw.randrange(index) if trials else 0
        seeds = draw.choice((1, 1, 2, 2, 3))
        trials.append(
            Trial(
                worth=round(draw.lognormvariate(0.7, 0.8), 1),
                seeds=seeds,
                p50=p50,
                p90=max(p50 + 1, round(p50 * draw.uniform(1.15, 1.8))),
                needs=(other,) if kind < 0.2 else (),
                gate=other if 0.2 <= kind < 0.4 else None,
                best_of=tuple(sorted(draw.sample(range(index), min(index, 2)))) if 0.4 <= kind < 0.5 else (),
                priority=draw.choice((0, 0, 1)) if with_priorities else 0,
                begun=1 if seeds > 1 and draw.random() < 0.2 and kind >= 0.5 else 0,
            )
        )
    work = sum((one.seeds - one.begun) * (one.p50 + 1) for one in trials)
    return SmallNight(trials, window=round(work * draw.uniform(0.3, 0.9)))


def _first(night: SmallNight, order: Sequence[str], state: State, time: int) -> int | None:
    experiments = {job.id: night.place[job.experiment] for job in night.jobs}
    return next((experiments[one] for one in order if night._ready(experiments[one], state, time)), None)


def _is_left(night: SmallNight, job: Job, state: State) -> bool:
    index = night.place[job.experiment]
    return job.seed >= night.trials[index].seeds - state[index] if state[index] > 0 else False


def _name(index: int) -> str:
    return f"e{index}"


def _rounded(worth: Worth) -> Worth:
    return tuple(round(one, 9) for one in worth)
