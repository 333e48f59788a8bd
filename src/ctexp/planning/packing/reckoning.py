"""What an order of experiments is expected to be worth, and the best of some orders.

The time that has gone is a sum of lognormal durations, taken as normal. An order is gone through once: each
job is begun with the probability that its p90 is left then, which adds that share of its time to what has
gone. A job that is begun is taken to be done.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ctexp.planning.packing.questions import Question

MOST_STEPS = 1000
"""Jobs that are gone through in thought for one choice: it may take a millisecond or two."""


@dataclass(frozen=True)
class Point:
    """Where a night stands in thought.

    Attributes:
        mean: of the seconds that have gone.
        variance: of the same.
        worth: expected, of what was done until then.
        begun: the probability of each experiment gone through that all of its jobs were begun.
    """

    mean: float = 0.0
    variance: float = 0.0
    worth: float = 0.0
    begun: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reckoning:
    """The night, in thought.

    Attributes:
        experiments: all that are left.
        seconds: of the window.
        pause: between two jobs.
    """

    experiments: Sequence[Question]
    seconds: float
    pause: float

    def go(self, at: Point, order: Sequence[int]) -> Point:
        """One experiment after the other from a point on, all seeds of each."""
        mean, variance, worth = at.mean, at.variance, at.worth
        begun = dict(at.begun)
        for index in order:
            one = self.experiments[index]
            last = reached = min((begun.get(parent, 0.0) for parent in one.parents), default=1.0)
            for job in one.planned:
                likely = min(reached, _likely(self.seconds - mean - job.needed, variance))
                takes, share = job.mean + self.pause, likely * one.chance
                worth += share * one.of_seed
                mean += share * takes
                variance += share * (job.variance + (1 - one.chance) * takes * takes)
                last = min(last, likely)
            worth += last * one.chance * one.of_all
            begun[index] = last
        return Point(mean, variance, worth, begun)

    def best(self, at: Point, level: Sequence[int]) -> list[int]:
        """The order of a level's experiments that is expected to be worth most of those tried.

        They go by density, each in turn in front of the others: since everything is packed again after each
        job, what matters is which one is first (a rollout: Bertsekas and Castañon, "Rollout algorithms for
        stochastic scheduling problems", Journal of Heuristics 1999).
        """
        usual = self.by_density(level)
        jobs = sum(len(self.experiments[index].jobs) for index in level)
        tried = usual[1 : MOST_STEPS // jobs]
        orders = [usual, *(self._in_front(index, usual) for index in tried)]
        return max(orders, key=lambda order: round(self.go(at, order).worth, 9))

    def by_density(self, level: Sequence[int]) -> list[int]:
        """The most worth per minute first, each with what it waits for; ties in the order of the plan."""
        inside = frozenset(level)
        density = {}
        for index in level:
            whole = [index, *(self.experiments[index].ancestors & inside)]
            worth = sum(self._worth(one) for one in whole)
            density[index] = worth / sum(self._takes(one) for one in whole)
        order: dict[int, None] = {}
        for index in sorted(level, key=lambda one: -density[one]):
            order |= dict.fromkeys(sorted(self.experiments[index].ancestors & inside))
            order[index] = None
        return list(order)

    def _in_front(self, index: int, order: Sequence[int]) -> list[int]:
        """The same order with one before all others, after what it waits for."""
        first = {*self.experiments[index].ancestors, index}
        return sorted(order, key=lambda one: one not in first)

    def _worth(self, index: int) -> float:
        one = self.experiments[index]
        return one.chance * (one.of_all + len(one.jobs) * one.of_seed)

    def _takes(self, index: int) -> float:
        one = self.experiments[index]
        return one.chance * sum(job.mean + self.pause for job in one.planned) + 1e-9


def _likely(room: float, variance: float) -> float:
    """The probability that a normal excess over an expected time stays within the room."""
    if room * room >= 16 * variance:
        return 1.0 if room >= 0 else 0.0
    return 0.5 * math.erfc(-room / math.sqrt(2 * variance))
