"""Does a hypothesis hold: met, not met, undecided or not tested.

A stated value is met where the 95 % intervals of all finished seeds are beyond it, and not met where all fall
short of it. For improvements over the baseline see `improvements`.
"""

import math
from collections.abc import Mapping

from ctexp.evaluation.comparison.needed import MOST_GROUPS
from ctexp.evaluation.verdicts.documents import Target
from ctexp.planning.plan.document import Improvement, Threshold
from ctexp.queue.morning.documents import Criterion, Outcome, Status, TargetReport
from ctexp.queue.morning.evidence import Evidence

_STATUS: dict[str, Status] = {"met": "met", "missed": "not met", "undecided": "undecided"}


def criterion(asked: Threshold | Improvement, baseline: str, worthwhile: float | None) -> Criterion:
    """What a plan asks for.

    Args:
        asked: by the plan.
        baseline: of improvements.
        worthwhile: the smallest one worth finding where the plan does not say; None where nobody does.
    """
    if isinstance(asked, Threshold):
        said = f"{asked.metric} {asked.op} {asked.value:g}"
        return Criterion(said=said, metric=asked.metric, op=asked.op, value=asked.value)
    by = asked.by or worthwhile
    worth = f"; {by:g} is worth finding" if by else ""
    said = f"{asked.metric} better than that of {baseline}{worth}"
    return Criterion(said=said, metric=asked.metric, baseline=baseline, by=by)


def of_value(its: Evidence, asked: Threshold) -> Outcome:
    """Whether an experiment is beyond a stated value."""
    if not its.seeds:
        return Outcome(status="undecided", said=f"no seed of {its.experiment} has finished")
    told = its.beyond(asked.metric, asked.op, asked.value)
    images = _images_needed(its, asked) if told.status == "undecided" else None
    outcome = _outcome(told)
    if images is None:
        return outcome
    if images > MOST_GROUPS:
        needed = f"out of reach of this data set: not even {MOST_GROUPS:,} independent images would decide it"
        return outcome.model_copy(update={"needed": needed})
    needed = f"about {images:,} independent images would decide it, were the figures to stay as they are"
    there = f"there are {its.images(asked.metric):,}"
    return outcome.model_copy(update={"needed": f"{needed}; {there}", "images_needed": images})


def target(asked: Threshold, evidence: Mapping[str, Evidence]) -> TargetReport:
    """What all is for, and the experiment that comes nearest to it."""
    wanted = criterion(asked, "", None)
    seen: dict[str, tuple[float, Target]] = {}
    for name, its in evidence.items():
        told = its.beyond(asked.metric, asked.op, asked.value)
        if told.measured is not None:
            seen[name] = told.measured, told
    if not seen:
        nothing = Outcome(status="undecided", said=f"nothing has measured {asked.metric}")
        return TargetReport(criterion=wanted, best=None, outcome=nothing)
    nearest = max if asked.op in {">=", ">"} else min
    best = nearest(seen, key=lambda name: seen[name][0])
    outcome = _outcome(seen[best][1])
    if len(seen) > 1:
        flattered = f"the best of {len(seen)} experiments, chosen by these very images: they flatter it"
        outcome = outcome.model_copy(update={"notes": (flattered,)})
    return TargetReport(criterion=wanted, best=best, outcome=outcome)


def _outcome(told: Target) -> Outcome:
    return Outcome(
        status=_STATUS[told.status], said=told.said, measured=told.measured, low=told.low, high=told.high
    )


def _images_needed(its: Evidence, asked: Threshold) -> int | None:
    """Images that would bring each seed's interval to one side of the value, if its measurement stayed.

    An interval's width falls with the root of their number. None where seeds lie on both sides, or on the
    value itself: no number of images decides that.
    """
    there = its.images(asked.metric)
    found = [its.measured(seed, asked.metric) for seed in its.seeds]
    known = [
        (one.value, one.low, one.high)
        for one in found
        if one and one.value is not None and one.low is not None and one.high is not None
    ]
    sides = {math.copysign(1, value - asked.value) if value != asked.value else 0 for value, _, _ in known}
    if there is None or len(known) < len(found) or len(sides) != 1 or 0 in sides:
        return None
    halves = ((value - low if value > asked.value else high - value, value) for value, low, high in known)
    needed = there * max(float(half / (value - asked.value)) ** 2 for half, value in halves)
    step = 10 ** max(0, math.floor(math.log10(max(needed, 1))) - 1)  # two digits tell what there is to tell
    return max(there + 1, int(math.ceil(needed / step) * step))
