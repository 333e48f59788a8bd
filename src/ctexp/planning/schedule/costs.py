"""What each job of a plan is expected to cost: by runs like it, else by what was measured once."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from ctexp.core.wording import many
from ctexp.planning import estimates
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.past import Job, Past
from ctexp.planning.schedule.measurements import Measurements
from ctexp.record.manifest import Estimate

if TYPE_CHECKING:
    from ctexp.config.compose import Composed

START_SECONDS = 8.0
"""A training's process before its record begins: Python, the libraries, checks of images and source."""


def trainings(checked: CheckedJob) -> "Mapping[Job, Composed]":
    """What a job may have to train, each kind with a configuration: one, those on each base, all trials."""
    found: dict[Job, Composed] = {}
    plain = checked.bases.values() or (checked.composed,)
    for composed in checked.searched.trials if checked.searched else plain:
        job = Job.of(composed.resolved, checked.device, checked.train_images, checked.val_images)
        found.setdefault(job, composed)
    return found


def expected(checked: Iterable[CheckedJob], past: Past, measured: Measurements) -> dict[str, Estimate | None]:
    """The cost of each job by its id; None where neither history nor a measurement tells.

    A cross-validation costs its folds, a sweep its budget, or less where there is no more to try. A job that
    begins with the best of several costs as much as with the dearest of them, and what nobody knows of one of
    them is not known of it. No job takes longer than its limit.
    """
    known: dict[Job, Estimate | None] = {}

    def of(job: Job) -> Estimate | None:
        if job not in known:
            known[job] = estimate_of(job, past, measured)
        return known[job]

    return {
        one.job.id: (_search if one.searched else _whole)(one, [of(job) for job in trainings(one)])
        for one in checked
    }


def estimate_of(job: Job, past: Past, measured: Measurements) -> Estimate | None:
    """The cost of one training by its record; None where nothing is known."""
    found = estimates.from_history(past, job)
    if found is None and (trial := measured.of(job)) is not None:
        found = estimates.from_trial(past, job, trial)
    return found


def bound(estimate: Estimate) -> float:
    """The seconds that have to be there for a job: its p90."""
    return estimate.seconds if estimate.seconds_p90 is None else estimate.seconds_p90


def _search(checked: CheckedJob, of_trials: Sequence[Estimate | None]) -> Estimate | None:
    """All of a sweep: its trials one after the other, until the budget is used up.

    The last of them may begin just before that, and is not cut short. Trials that are ended early leave time
    for others, so that a budget that does not suffice for all is used up whatever trials cost.
    """
    search, budget = checked.searched, checked.job.budget_seconds
    if search is None or budget is None:
        return None
    known = [one for one in of_trials if one is not None]
    if len(known) < len(of_trials):
        return Estimate(seconds=budget, seconds_p90=budget, basis="its budget; what a trial costs is unknown")
    trial = search.trainings * mean(one.seconds for one in known)
    trial_p90 = search.trainings * mean(bound(one) for one in known)
    seconds, seconds_p90 = budget, budget + search.trainings * max(bound(one) for one in known)
    if search.most is not None:
        seconds, seconds_p90 = min(seconds, search.most * trial), min(seconds_p90, search.most * trial_p90)
    if (limit := checked.job.limit_seconds) is not None:
        seconds, seconds_p90 = min(seconds, limit), min(seconds_p90, limit)
    trials = math.ceil(seconds / trial)
    sizes = [one.disk_bytes for one in known if one.disk_bytes is not None]
    sizes_p90 = [one.disk_bytes_p90 for one in known if one.disk_bytes_p90 is not None]
    count = trials * search.trainings
    return max(known, key=lambda one: one.memory_bytes or 0).model_copy(
        update={
            "seconds": seconds,
            "seconds_p90": seconds_p90,
            "disk_bytes": round(count * mean(sizes)) if len(sizes) == len(known) else None,
            "disk_bytes_p90": count * max(sizes_p90) if len(sizes_p90) == len(known) else None,
            "basis": f"about {many(trials, 'trial')} by {known[0].basis}",
        }
    )


def _whole(checked: CheckedJob, of_trainings: list[Estimate | None]) -> Estimate | None:
    """All of a job, from one of its trainings; the dearest counts."""
    known = [estimate for estimate in of_trainings if estimate is not None]
    if len(known) < len(of_trainings):
        return None
    one = max(known, key=bound)
    count, limit = checked.trainings, checked.job.limit_seconds
    # Folds are alike: where the first takes longer than expected, so do the others.
    seconds, seconds_p90 = (count * (START_SECONDS + value) for value in (one.seconds, bound(one)))
    if limit is not None:
        seconds, seconds_p90 = min(seconds, limit), min(seconds_p90, limit)
    return one.model_copy(
        update={
            "seconds": seconds,
            "seconds_p90": seconds_p90,
            "disk_bytes": None if one.disk_bytes is None else count * one.disk_bytes,
            "disk_bytes_p90": None if one.disk_bytes_p90 is None else count * one.disk_bytes_p90,
            "basis": one.basis if count == 1 else f"{one.basis}, {count} folds",
        }
    )
