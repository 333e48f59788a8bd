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

from ctexp.planning.packing.lengths import Length, planned
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
) -> Packing:
    """The best use of the time that is left.

    Args:
        jobs: that may still be begun, in the order of running (`jobs.in_order`). What they wait for and is
            not among them is taken to be over, and its gate to be passed.
        lengths: by job id; None where nobody knows: see `lengths.planned`.
        seconds: that are left for them; None for as many as they like.
        pause: between two jobs.
        done: experiment -> how many of its seeds are done already, which makes the others worth finishing.
    """
    known = planned(jobs, lengths)
    if seconds is None or sum(one.p90 + pause for one in known) - pause <= seconds:
        ids = tuple(job.id for job in jobs)
        return Packing(ids, frozenset(ids), whole=True)
    experiments = questions(jobs, known, done or {}, seconds, pause)
    reckoning = Reckoning(experiments, seconds, pause)
    levels: dict[int, list[int]] = {}
    for index, one in enumerate(experiments):
        if one.possible:
            levels.setdefault(one.level, []).append(index)
    night, at = _Night(experiments, seconds, pause), Point()
    for level in sorted(levels, reverse=True):
        order = reckoning.best(at, levels[level])
        at = reckoning.go(at, order)
        night.go_on(order)
    never = [job for one in experiments if not one.possible for job in one.jobs]
    ids = tuple(jobs[index].id for index in [*night.order, *never])
    return Packing(ids, frozenset(jobs[index].id for index in night.chosen), whole=False)


@dataclass
class _Night:
    """A night in which each job takes its p50.

    Attributes:
        order: of jobs, by their places.
        chosen: those that are begun.
        whole: experiments of which all jobs are begun.
    """

    experiments: Sequence[Question]
    seconds: float
    pause: float
    now: float = 0.0
    order: list[int] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    whole: set[int] = field(default_factory=set)

    def go_on(self, level: Sequence[int]) -> None:
        """With the experiments of a level; jobs that have no room are put last, as they stand in the plan."""
        shorter: list[int] = []
        left: list[int] = []
        for index in level:
            one = self.experiments[index]
            ready = all(parent in self.whole for parent in one.parents)
            late = []
            for job, reckoned in zip(one.jobs, one.planned, strict=True):
                if ready and self.now + reckoned.needed <= self.seconds:
                    self.now += reckoned.p50 + self.pause
                    self.order.append(job)
                    self.chosen.append(job)
                else:
                    late.append(job)
            if not late:
                self.whole.add(index)
            (shorter if ready and one.shorten else left).extend(late)
        if shorter and self.now + LEAST_SECONDS <= self.seconds:
            self.now = self.seconds
            self.chosen.append(min(shorter))
        self.order += [*sorted(shorter), *sorted(left)]
