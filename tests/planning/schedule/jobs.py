"""Checked jobs without a check: real plans, real configurations, no data looked at."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ctexp.config.compose import Composed, compose
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, jobs_of
from ctexp.record.manifest import Estimate
from tests.project import HERE

TINY_NET = ("data=phantom", "model=tiny_cnn", "logger=none", "trainer.early_stopping=null")
DEVICE = "a computer"


def plan(experiments: dict[str, Any], **fields: Any) -> Plan:
    """A plan of these experiments."""
    given = {"name": "night", "common": list(TINY_NET), "experiments": experiments, **fields}
    return Plan.model_validate(given)


@cache
def composed(words: tuple[str, ...]) -> Composed:
    """A configuration of this project."""
    return compose(words, HERE)


def checked(of: Plan, **changes: Any) -> list[CheckedJob]:
    """Its jobs as a check hands them on: 600 images to learn from, 90 to look at."""
    jobs = jobs_of(of)
    own = {job.experiment: job.own for job in jobs}
    return [_checked(job, own, changes) for job in jobs]


def _checked(job: Job, own: Mapping[str, Sequence[str]], changes: dict[str, Any]) -> CheckedJob:
    # Seeds and names cost nothing: they are left away, so that few configurations are composed.
    def words(*own: str) -> Composed:
        return composed(tuple(word for word in job.overrides(base=own) if word not in job.fixed))

    bases = {name: words(*own[name]) for name in job.base.best_of} if job.base else {}
    fields: dict[str, Any] = {
        "job": job,
        "composed": next(iter(bases.values())) if bases else words(),
        "fallbacks": {},
        "bases": bases,
        "train_images": 600,
        "val_images": 90,
        "trainings": 3 if job.verb == "cross-validate" else 1,
        "device": DEVICE,
    }
    return CheckedJob(**fields | changes)


def minutes(p50: float, p90: float | None = None, **changes: Any) -> Estimate:
    """An estimate of so many minutes."""
    fields: dict[str, Any] = {
        "seconds": 60 * p50,
        "seconds_p90": 60 * (p50 if p90 is None else p90),
        "memory_bytes": 2**30,
        "memory_bytes_p90": 2**30,
        "disk_bytes": 100_000_000,
        "disk_bytes_p90": 100_000_000,
        "basis": "3 like runs",
    }
    return Estimate(**fields | changes)
