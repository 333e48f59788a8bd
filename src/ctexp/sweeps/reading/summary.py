"""A sweep in one look, for those who go on from it: a person, and the planner."""

import itertools
from dataclasses import dataclass

from ctexp.core.errors import DataError
from ctexp.record.manifest import Manifest
from ctexp.sweeps.reading.opened import Opened, number
from ctexp.sweeps.reading.standing import Standing
from ctexp.sweeps.trials import Row

CONFIRMING = 3
"""Seeds that a confirmation trains: with fewer, how much seeds matter is hardly known."""

_SEEDS = 2**32
"""Every seed is below."""


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep.

    Attributes:
        words: the overrides that set it apart from the other trials.
        value: of the objective.
        mean: of the metric over its members.
        error: its standard error over them; None for a single one.
        runs: their ids.
        seeds: what they were trained with.
    """

    number: int
    words: tuple[str, ...]
    value: float
    mean: float | None
    error: float | None
    runs: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Summary:
    """What a sweep found.

    Attributes:
        id: of the sweep.
        name: its trials' runs are called after it.
        metric: `val/<name>`.
        base: the overrides that all trials have in common.
        trials: how many finished, the best among them.
        best: the best; None where none finished.
        rival: the runner-up; None where there is none.
        established: whether the best is better than the runner-up.
        why: what that rests on, without a full stop.
        luck: by how much the best of so many may look too good; None where it is not known.
        fresh: seeds that no trial was trained with, for a confirmation.
    """

    id: str
    name: str
    metric: str
    goal: str
    base: tuple[str, ...]
    trials: int
    best: Trial | None
    rival: Trial | None
    established: bool
    why: str
    luck: float | None
    fresh: tuple[int, ...]


def summarised(its: Opened, found: Standing | None) -> Summary:
    """What a sweep found.

    Args:
        its: the sweep.
        found: how its best trial stands; None where none has finished.
    """
    best = None if found is None else _trial(its, found.best)
    rival = None if found is None or found.rival is None else _trial(its, found.rival)
    return Summary(
        id=its.sweep.id,
        name=its.sweep.name,
        metric=its.spec.metric,
        goal=its.spec.goal,
        base=its.base,
        trials=len(its.ranked),
        best=best,
        rival=rival,
        established=found is not None and found.established,
        why="no trial has finished" if found is None else found.why,
        luck=None if found is None else found.luck,
        fresh=fresh_seeds(its),
    )


def fresh_seeds(its: Opened, count: int = CONFIRMING) -> tuple[int, ...]:
    """Seeds that the sweep has not used: above all of those where there are any."""
    used = {its.sweep.seed, *(its.spec.seeds or ())}
    for row in its.rows:
        used |= set(_seeds(its, row))
    above = max(used) + 1
    candidates = itertools.count(above if above + count <= _SEEDS else 0)
    return tuple(itertools.islice((seed for seed in candidates if seed not in used), count))


def _trial(its: Opened, row: Row) -> Trial:
    return Trial(
        number=row.number,
        words=its.words(row),
        value=number(row.value),
        mean=row.mean,
        error=row.error,
        runs=tuple(row.runs.values()),
        seeds=_seeds(its, row),
    )


def _seeds(its: Opened, row: Row) -> tuple[int, ...]:
    """What a trial was trained with, as far as its runs can be read."""
    found = set()
    for run in its.members(row).values():
        try:
            found.add(Manifest.read(run.manifest).seed)
        except DataError:
            continue
    return tuple(sorted(found))
