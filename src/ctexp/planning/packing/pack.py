"""Which of the jobs left, and in which order.

What a night is worth is said in `questions`. What a plan promises is kept whatever it is worth:

- A job comes after all it waits for.
- Where everything fits, even if each job takes its p90, the order is that of the plan.
- Priorities are levels: of the jobs that can be begun, one of the greatest priority is begun first. What it
  waits for goes with it, as long as it may still be begun itself, were those to take their p50.

Within a level the order is sought that is expected to be worth most, seeds of an experiment together. Jobs
that may be shortened and have no room whole come after the others of their level, and take what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ctexp.planning.packing.lengths import Length, Planned, planned
from ctexp.planning.packing.questions import Question, questions
from ctexp.planning.packing.reckoning import Point, Reckoning
from ctexp.planning.plan.jobs import LEAST_SECONDS, Job

__all__ = ["Length", "Packing", "pack"]


@dataclass(frozen=True)
class Packing:
    """An order of jobs such that each comes after all it waits for.

    Attributes:
        order: ids of all jobs, those that are to be begun first.
        chosen: ids of those that the window is meant for: those that are begun if each takes its p50.
        whole: whether all of them fit even if each takes its p90: then the order is the plan's.
    """

    order: tuple[str, ...]
    chosen: frozenset[str]
    whole: bool


def pack(
    jobs: Sequence[Job],
    lengths: Mapping[str, Length | None],
    seconds: float | None,
    pause: float = 0.0,
    done: Mapping[str, int] | None = None,
    lanes: Sequence[float] | None = None,
) -> Packing:
    """The best use of the time that is left.

    Args:
        jobs: that may still be begun, in the order of running (`jobs.in_order`). What they wait for and is
            not among them is taken to be over, and its gate to be passed.
        lengths: by job id; None where nobody knows: see `lengths.planned`.
        seconds: that are left for them; None for as many as they like.
        pause: between two jobs.
        done: experiment -> how many of its seeds are done already, which makes the others worth finishing.
        lanes: where several run at once: the seconds that are left of each place, none more than `seconds`.
            What an order is worth is then reckoned as if the work were spread evenly over them.
    """
    known = planned(jobs, lengths)
    if seconds is None or _all_fit(jobs, known, seconds, pause, lanes or [seconds]):
        ids = tuple(job.id for job in jobs)
        return Packing(ids, frozenset(ids), whole=True)
    at_once = sum(lanes) / seconds if lanes and seconds else 1.0
    spread = [one.spread_over(at_once) for one in known] if at_once > 1 else known
    shared = pause / max(1.0, at_once)
    experiments = questions(jobs, spread, done or {}, seconds, shared)
    reckoning = Reckoning(experiments, seconds, shared)
    levels: dict[int, list[int]] = {}
    for index, one in enumerate(experiments):
        if one.possible:
            levels.setdefault(one.level, []).append(index)
    begins = [seconds - left for left in lanes or [seconds]]
    night, at = _Night(experiments, known, seconds, pause, begins), Point()
    for level in sorted(levels, reverse=True):
        order = reckoning.best(at, levels[level])
        at = reckoning.go(at, order)
        night.go_on(order)
    never = [job for one in experiments if not one.possible for job in one.jobs]
    ids = tuple(jobs[index].id for index in [*night.order, *never])
    return Packing(ids, frozenset(jobs[index].id for index in night.chosen), whole=False)


def _all_fit(
    jobs: Sequence[Job], known: Sequence[Planned], seconds: float, pause: float, lanes: Sequence[float]
) -> bool:
    """Whether all are over in time if each takes its p90, begun in this order wherever a place is free."""
    if len(lanes) == 1:
        return sum(one.p90 + pause for one in known) - pause <= lanes[0]
    free, over = [seconds - left for left in lanes], dict[str, float]()
    for job, one in zip(jobs, known, strict=True):
        lane = free.index(min(free))
        ends = max(free[lane], *(over.get(name, 0.0) for name in job.waits_for), 0.0) + one.p90
        if ends > seconds:
            return False
        free[lane] = ends + pause
        over[job.experiment] = max(ends, over.get(job.experiment, 0.0))
    return True


@dataclass
class _Night:
    """A night in which each job takes its p50.

    Attributes:
        known: what is reckoned with for each job, by its place.
        free: when each place is free.
        over: when each experiment that is whole is.
        order: of jobs, by their places.
        chosen: those that are begun.
    """

    experiments: Sequence[Question]
    known: Sequence[Planned]
    seconds: float
    pause: float
    free: list[float]
    order: list[int] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    over: dict[int, float] = field(default_factory=dict)

    def go_on(self, level: Sequence[int]) -> None:
        """With the experiments of a level; jobs that have no room are put last, as they stand in the plan."""
        shorter: list[int] = []
        left: list[int] = []
        for index in level:
            one = self.experiments[index]
            ready = all(parent in self.over for parent in one.parents)
            parents = max((self.over[parent] for parent in one.parents if ready), default=0.0)
            late, over = [], parents
            for job in one.jobs:
                lane = self.free.index(min(self.free))
                begins = max(self.free[lane], parents)
                if ready and begins + self.known[job].needed <= self.seconds:
                    self.free[lane] = begins + self.known[job].p50 + self.pause
                    over = max(over, self.free[lane])
                    self.order.append(job)
                    self.chosen.append(job)
                else:
                    late.append(job)
            if not late:
                self.over[index] = over
            (shorter if ready and one.shorten else left).extend(late)
        if shorter and min(self.free) + LEAST_SECONDS <= self.seconds:
            self.free[self.free.index(min(self.free))] = self.seconds
            self.chosen.append(min(shorter))
        self.order += [*sorted(shorter), *sorted(left)]
