"""What a sweep is expected to cost: its trials, as far as runs like them tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from ctexp.config.compose import Composed
from ctexp.core import clock
from ctexp.planning import estimates
from ctexp.planning.checking.images import ImagesOf
from ctexp.planning.past import Job, Past
from ctexp.record.environment import computes_on
from ctexp.record.manifest import Estimate
from ctexp.record.run_dir import RunDir
from ctexp.record.values import seconds_of


@dataclass(frozen=True)
class Cost:
    """Of a sweep.

    Attributes:
        trials: how many there are at most; None for no end but the budget's.
        trainings: of each trial.
        training_seconds: of one training on the average; None where too little is known.
        seconds: of all; None where that or the number of trials is unknown.
        seconds_p90: likewise, if every training takes its p90.
        known: the share of what trials can be that history tells the cost of.
        basis: what it rests on, in a few words.
    """

    trials: int | None
    trainings: int
    training_seconds: float | None
    seconds: float | None
    seconds_p90: float | None
    known: float
    basis: str


def cost(
    composed: Sequence[Composed],
    images: ImagesOf,
    past: Past,
    *,
    trials: int | None,
    trainings: int,
    budget: float | None,
) -> Cost:
    """The cost of a sweep.

    Args:
        composed: configurations that stand for its trials, all of a grid's.
        images: reads what they train on.
        past: earlier runs.
        trials: how many there are at most; None for no end.
        trainings: of each trial.
        budget: seconds that agents may spend in all; None for no limit.
    """
    kinds: dict[Job, Estimate | None] = {}
    found: list[Estimate | None] = []
    for one in composed:
        read = images.read(one, "train")
        job = Job.of(one.resolved, computes_on(one.resolved["trainer"]["accelerator"]), read.train, read.val)
        if job not in kinds:
            kinds[job] = estimates.from_history(past, job)
        found.append(kinds[job])
    told = [estimate for estimate in found if estimate is not None]
    share = len(told) / len(found)
    if share < 1:
        basis = "no like runs yet" if not told else f"like runs of {share:.0%} of what trials can be"
        return Cost(trials, trainings, None, None, None, share, basis)
    one_seconds = mean(estimate.seconds for estimate in told)
    p90 = mean(estimate.seconds_p90 or estimate.seconds for estimate in told)
    number = None if trials is None else trials * trainings
    like = told[0].basis if len(kinds) == 1 else f"like runs of {len(kinds)} kinds"
    return Cost(
        trials=trials,
        trainings=trainings,
        training_seconds=one_seconds,
        seconds=_within(None if number is None else number * one_seconds, budget),
        seconds_p90=_within(None if number is None else number * p90, budget),
        known=share,
        basis=f"{like}; the start of each is not counted",
    )


def _within(seconds: float | None, budget: float | None) -> float | None:
    """No more than the budget; without an end it is the budget that is spent."""
    return min((one for one in (seconds, budget) if one is not None), default=None)


def by_pilot(cost: Cost, runs: Sequence[RunDir], took: float | None, budget: float | None) -> Cost:
    """The cost by a single trial; others may differ, so there is no p90.

    Args:
        cost: what is known otherwise.
        runs: of the trial.
        took: seconds of the trial with the start of its agent; None where that is not known.
        budget: seconds that agents may spend in all; None for no limit.
    """
    known = [trained for run in runs if (trained := seconds_of(run)) is not None]
    if not known or len(known) < len(runs):
        return cost
    seconds = sum(known)
    start = f", {clock.duration(took - seconds)}" if took is not None and took > seconds else ""
    whole = None if cost.trials is None else cost.trials * seconds
    return replace(
        cost,
        training_seconds=seconds / cost.trainings,
        seconds=_within(whole, budget),
        basis="as long as the pilot trained, others may differ; not counted: "
        f"each agent's start{start}, and about a second for each further training",
    )


def told(cost: Cost, budget: float | None) -> str:
    """A line: `about 12 min (p90 20 min): 60 trainings of 12 s each (5 like runs)`."""
    if cost.training_seconds is None:
        most = f"; at most the budget, {clock.duration(budget)}" if budget is not None else ""
        return f"unknown before trials have run ({cost.basis}){most}"
    each = f"{clock.duration(cost.training_seconds)} each"
    if cost.seconds is None:
        return f"{each}; no end: no run_cap and no budget ({cost.basis})"
    count = "" if cost.trials is None else f"{cost.trials * cost.trainings} trainings of "
    bound = "" if cost.seconds_p90 is None else f" (p90 {clock.duration(cost.seconds_p90)})"
    whole = f"about {clock.duration(cost.seconds)}{bound}: {count}{each} ({cost.basis})"
    return whole if budget is None else f"{whole}, budget {clock.duration(budget)}"
