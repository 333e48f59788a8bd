"""The experiments that jobs stand for: what each is worth, what it waits for, and before whom it goes.

**What a night is worth.** An experiment's worth (`Job.worth`) counts in full once all of its seeds are done.
Until then each seed that is done counts half of its share: so experiments are completed rather than seeds
scattered over many. Seeds that were done before count as done. What stands behind a gate that is not decided
yet counts half, for nobody knows whether the gate will be passed; behind two of them a quarter. A job that
is shortened because the window ends counts nothing: it takes what is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctexp.planning.packing.lengths import Planned
from ctexp.planning.plan.jobs import LEAST_SECONDS, GateRule, Job

UNFINISHED = 0.5
"""What the seeds of an unfinished experiment count, of their share of its worth."""

PASSES = 0.5
"""How likely a gate is taken to be passed before it is decided."""


@dataclass(slots=True)
class Question:
    """An experiment, as far as it is left to do.

    Attributes:
        jobs: places of its jobs in the order they were given in.
        planned: what is reckoned with for each of them.
        p50: seconds of all of them, with a pause after each.
        parents: places of the experiments left that have to be over before.
        ancestors: these, and all that they wait for, as they stand.
        of_seed: what each more seed counts.
        of_all: what the last one counts beside.
        chance: that its gates will be passed.
        shorten: whether its jobs may be shortened.
        level: the greatest priority among its own and those of all that wait for it and may still be begun.
        possible: whether a job of it may still be begun, were all it waits for to take their p50.
    """

    jobs: list[int]
    planned: list[Planned]
    p50: float
    parents: list[int]
    ancestors: frozenset[int]
    of_seed: float
    of_all: float
    chance: float
    shorten: bool
    level: int
    possible: bool


def questions(
    jobs: Sequence[Job],
    planned: Sequence[Planned],
    done: Mapping[str, int],
    seconds: float,
    pause: float,
) -> list[Question]:
    """The experiments of jobs, each after all it waits for.

    What is waited for and not among the jobs is taken to be over. What waits for a later one (a circle) is
    never possible.
    """
    members: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        members.setdefault(job.experiment, []).append(index)
    place = {name: index for index, name in enumerate(members)}
    gates: list[frozenset[GateRule]] = []
    found: list[Question] = []
    for name, indices in members.items():
        job, own = jobs[indices[0]], [planned[index] for index in indices]
        waits = [place[other] for other in job.waits_for if other in place]
        parents = [one for one in waits if one < len(found)]
        ancestors = frozenset(parents).union(*(found[one].ancestors for one in parents))
        gates.append(_undecided(job, place, gates) if waits else frozenset())
        least = min(one.needed for one in own)
        begins = sum(found[one].p50 for one in ancestors)
        room = begins + (min(least, LEAST_SECONDS) if job.shorten else least) <= seconds
        found.append(
            Question(
                jobs=indices,
                planned=own,
                p50=sum(one.p50 + pause for one in own),
                parents=parents,
                ancestors=ancestors,
                of_seed=UNFINISHED * job.worth / (len(indices) + done.get(name, 0)),
                of_all=(1 - UNFINISHED) * job.worth,
                chance=PASSES ** len(gates[-1]),
                shorten=job.shorten,
                level=job.priority,
                possible=room and parents == waits and all(found[one].possible for one in parents),
            )
        )
    for one in reversed(found):
        for parent in one.parents if one.possible else ():
            found[parent].level = max(found[parent].level, one.level)
    return found


def _undecided(
    job: Job, place: Mapping[str, int], gates: Sequence[frozenset[GateRule]]
) -> frozenset[GateRule]:
    """The gates that have to be passed before this job: its own, and those of what it cannot do without."""
    after = (job.gate.after,) if job.gate else ()
    found = [gates[place[name]] for name in (*job.needs, *after) if place.get(name, len(gates)) < len(gates)]
    own = frozenset({job.gate} if job.gate and job.gate.after in place else ())
    return own.union(*found)
