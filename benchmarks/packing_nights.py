"""Small nights of which everything that can happen is gone through: what a way of choosing jobs is worth.

A duration is one of four points of its lognormal distribution, rounded to whole units of time; a gate is
passed as often as not. A state is what is left to do and the time that is left, and no choice sees more of
the future than that. So the expected worth of a choice is computed exactly, and so is the greatest that any
choice can have (stochastic dynamic programming over all states, Bellman 1957) under the same rules: a job is
begun only where its p90 is left, after all it waits for, and of those that can be begun one of the greatest
priority. Worth is that of `planning.packing.questions`. Where there are priorities the optimum has the most
worth of the greatest, and of all ways that have it the most of the next.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

from ctexp.planning.packing.pack import Length, pack
from ctexp.planning.plan.jobs import BaseRule, GateRule, Job, in_order

POINTS = ((0.05, 0.1), (0.3, 0.4), (0.7, 0.4), (0.95, 0.1))
"""Quantiles of a duration and how likely each is: one in ten takes longer than the p90."""

PASSES = 0.5

State = tuple[int, ...]
"""How many seeds of each experiment are left to do; below nothing where a gate was not passed."""

Worth = tuple[float, ...]
"""By priority, the greatest first."""

Choice = Callable[["SmallNight", State, int], int | None]
"""The experiment of which a job is begun next, by what is left to do and the time left; None for none."""


@dataclass(frozen=True)
class Trial:
    """An experiment, in whole units of time.

    Attributes:
        needs: places of earlier ones.
        gate: place of an earlier one whose gate it has.
        best_of: places of earlier ones: all have to be over, and one of them done.
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
    def requires(self) -> tuple[int, ...]:
        """What it cannot do without."""
        return self.needs if self.gate is None else (*self.needs, self.gate)

    @property
    def waits(self) -> tuple[int, ...]:
        """All that has to be over before."""
        return (*self.requires, *self.best_of)

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

    @cached_property
    def jobs(self) -> list[Job]:
        """As the plan has them, in the order of running."""
        named = [_named(index, one) for index, one in enumerate(self.trials)]
        return in_order([job for jobs in named for job in jobs])

    @cached_property
    def lengths(self) -> dict[str, Length | None]:
        """By job id."""
        return {job.id: Length(one.p50, one.p90) for job in self.jobs for one in (self.trials[_place(job)],)}

    @cached_property
    def levels(self) -> list[int]:
        """The priority of each experiment at the beginning; what others wait for has theirs."""
        return self._levels(self.begin, self.window)

    @property
    def begin(self) -> State:
        """Nothing is done yet but what was done before."""
        return tuple(one.seeds - one.begun for one in self.trials)

    def left(self, state: State) -> list[Job]:
        """The jobs that are not done, in the order of running."""
        return [job for job in self.jobs if job.seed >= self.trials[_place(job)].seeds - state[_place(job)]]

    def first(self, jobs: Sequence[str], state: State, time: int) -> int | None:
        """The experiment of the first job that may be begun."""
        places = (int(job[1:].partition("-")[0]) for job in jobs)
        return next((place for place in places if self._ready(place, state, time)), None)

    def optimum(self) -> Worth:
        """The most that any choice can expect."""
        known: dict[tuple[State, int], Worth] = {}

        def best(state: State, time: int) -> Worth:
            if (state, time) not in known:
                every = (self._after(index, state, time, best) for index in self._startable(state, time))
                # Rounded, so that the next priority decides where the greatest is indifferent.
                rounded = (tuple(round(one, 9) for one in worth) for worth in every)
                known[state, time] = max(rounded, default=self._nothing)
            return known[state, time]

        return best(self.begin, self.window)

    def worth(self, choice: Choice) -> Worth:
        """What a choice expects."""
        known: dict[tuple[State, int], Worth] = {}

        def follow(state: State, time: int) -> Worth:
            if (state, time) not in known:
                index = choice(self, state, time)
                after = self._nothing if index is None else self._after(index, state, time, follow)
                known[state, time] = after
            return known[state, time]

        return follow(self.begin, self.window)

    @cached_property
    def _priorities(self) -> list[int]:
        return sorted(set(self.levels), reverse=True)

    @property
    def _nothing(self) -> Worth:
        return (0.0,) * len(self._priorities)

    def _startable(self, state: State, time: int) -> list[int]:
        """The experiments of which a job may be begun: those of the greatest priority that can be."""
        ready = [index for index in range(len(state)) if self._ready(index, state, time)]
        levels = self._levels(state, time)
        greatest = max((levels[index] for index in ready), default=0)
        return [index for index in ready if levels[index] == greatest]

    def _ready(self, index: int, state: State, time: int) -> bool:
        one = self.trials[index]
        return state[index] > 0 and all(state[other] <= 0 for other in one.waits) and one.p90 <= time

    def _levels(self, state: State, time: int) -> list[int]:
        """The priorities, what others wait for with theirs if they may still be begun."""
        levels = [one.priority for one in self.trials]
        before: list[set[int]] = []
        possible: list[bool] = []
        for one in self.trials:
            waits = [other for other in one.waits if state[other] > 0]
            before.append(set(waits).union(*(before[other] for other in waits)))
            taken = sum(state[other] * (self.trials[other].p50 + self.pause) for other in before[-1])
            possible.append(all(possible[other] for other in waits) and taken + one.p90 <= time)
        for index in reversed(range(len(levels))):
            for other in before[index] if possible[index] and state[index] > 0 else ():
                levels[other] = max(levels[other], levels[index])
        return levels

    def _after(self, index: int, state: State, time: int, then: Callable[[State, int], Worth]) -> Worth:
        """What a job of this experiment and all after it expect."""
        one = self.trials[index]
        following = self._following(index, state)
        expected = [0.0] * len(self._priorities)
        gained = one.worth / one.seeds / 2 + (one.worth / 2 if state[index] == 1 else 0.0)
        for duration, likely in one.durations:
            if duration > time:
                continue
            expected[self._priorities.index(self.levels[index])] += likely * gained
            for state_then, chance in following:
                for at, value in enumerate(then(state_then, time - duration - self.pause)):
                    expected[at] += likely * chance * value
        return tuple(expected)

    def _following(self, index: int, state: State) -> list[tuple[State, float]]:
        """What is left after one more seed, and how likely: two ways where gates are decided by it.

        All gates after one experiment ask the same of it.
        """
        left = [*state]
        left[index] -= 1
        gated = {at for at, one in enumerate(self.trials) if one.gate == index and state[at] > 0}
        if not gated or left[index]:
            return [(tuple(left), 1.0)]
        out = [*left]
        for at, one in enumerate(self.trials):
            lost = any(out[other] < 0 for other in one.requires)
            lost |= bool(one.best_of) and all(out[other] < 0 for other in one.best_of)
            if out[at] > 0 and (at in gated or lost):
                out[at] = -1
        return [(tuple(left), PASSES), (tuple(out), 1 - PASSES)]


def by_pack(night: SmallNight, state: State, time: int) -> int | None:
    """The first of what `pack` says that may be begun."""
    done = {f"e{at}": one.seeds - max(0, state[at]) for at, one in enumerate(night.trials)}
    packed = pack(night.left(state), night.lengths, time, night.pause, done)
    return night.first(packed.order, state, time)


def in_plan_order(night: SmallNight, state: State, time: int) -> int | None:
    """The first in the order of the plan that may be begun."""
    return night.first([job.id for job in night.left(state)], state, time)


def small_night(draw: random.Random, priorities: bool = False) -> SmallNight:
    """One as it could be: about ten jobs, of which the window holds between a third and nine tenths."""
    trials: list[Trial] = []
    jobs = draw.randint(7, 11)
    while sum(one.seeds for one in trials) < jobs:
        place = len(trials)
        p50 = round(min(30.0, max(3.0, draw.lognormvariate(2.1, 0.6))))
        kind = draw.random() if trials else 1.0
        other = draw.randrange(place) if trials else 0
        seeds = draw.choice((1, 1, 2, 2, 3))
        trials.append(
            Trial(
                worth=round(draw.lognormvariate(0.7, 0.8), 1),
                seeds=seeds,
                p50=p50,
                p90=max(p50 + 1, round(p50 * draw.uniform(1.15, 1.8))),
                needs=(other,) if kind < 0.2 else (),
                gate=other if 0.2 <= kind < 0.4 else None,
                best_of=tuple(sorted(draw.sample(range(place), min(place, 2)))) if 0.4 <= kind < 0.5 else (),
                priority=draw.choice((0, 0, 1)) if priorities else 0,
                begun=1 if seeds > 1 and draw.random() < 0.2 and kind >= 0.5 else 0,
            )
        )
    work = sum((one.seeds - one.begun) * (one.p50 + 1) for one in trials)
    return SmallNight(trials, window=round(work * draw.uniform(0.3, 0.9)))


def _named(place: int, one: Trial) -> list[Job]:
    """The jobs of an experiment that are left."""
    return [
        Job(
            id=f"e{place}-s{seed}",
            experiment=f"e{place}",
            seed=seed,
            verb="train",
            common=(),
            own=(),
            fixed=(),
            needs=tuple(f"e{other}" for other in one.needs),
            gate=None if one.gate is None else GateRule(f"e{one.gate}", "val/macro_f1", ">=", 0.5),
            base=BaseRule(tuple(f"e{other}" for other in one.best_of), None) if one.best_of else None,
            priority=one.priority,
            worth=one.worth,
        )
        for seed in range(one.begun, one.seeds)
    ]


def _place(job: Job) -> int:
    return int(job.experiment[1:])
