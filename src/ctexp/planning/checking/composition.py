"""The configuration of every job: as it begins, after each failure, on each base, in each trial."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.config.compose import Composed, Composer, paths_of, resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core.errors import UsageError
from ctexp.planning.checking.findings import Findings
from ctexp.planning.checking.searching import Search, Searched, searched
from ctexp.planning.checking.words import words_of
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, key_of
from ctexp.planning.plan.load import Place


@dataclass(frozen=True)
class Start:
    """What a job may begin with.

    Attributes:
        label: tells it from others.
        base: the experiment it comes from.
        words: that come between those of the plan and its own.
        chosen: of these, what a sweep has chosen.
    """

    label: str
    base: str
    words: tuple[str, ...]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A job whose every configuration composes.

    Attributes:
        composed: as it begins; with the first of `bases`, where it has a base.
        fallbacks: by the kind of failure; those of the experiment's first seed.
        bases: by the experiment that may win its base; likewise. Of a sweep that may, by it and what sets a
            trial of it apart, as many as show every value of every choice.
        begun: what each of `bases` begins with.
        searched: of a sweep.
    """

    job: Job
    composed: Composed
    fallbacks: Mapping[str, Composed]
    bases: Mapping[str, Composed]
    begun: Mapping[str, Start] = field(default_factory=dict)
    searched: Searched | None = None

    @property
    def every(self) -> tuple[Composed, ...]:
        """Whatever it may train."""
        if self.searched:
            return self.searched.trials
        return (self.composed, *self.bases.values(), *self.fallbacks.values())


def configure(
    plan: Plan, jobs: Sequence[Job], searches: Mapping[str, Search], root: Path, found: Findings
) -> list[Configured]:
    """Compose every job.

    What fails and what wins changes nothing about seeds: fallbacks and bases are composed with the first.

    Args:
        plan: the plan.
        jobs: its jobs.
        searches: its sweeps, as far as their files could be read.
        root: the project's folder.
        found: where problems go.

    Returns:
        The jobs of the experiments of which nothing fails to compose.
    """
    composing = _Composing(plan, searches, root, found)
    by_experiment: dict[str, list[Job]] = {}
    for job in jobs:
        by_experiment.setdefault(job.experiment, []).append(job)
    # A sweep of which anything is wrong says so itself, not through whatever begins with its best.
    in_order = sorted(by_experiment, key=lambda name: _rank(by_experiment[name][0]))
    made = {name: composing.experiment(by_experiment[name]) for name in in_order}
    return [one for name in by_experiment for one in made[name]]


def _rank(job: Job) -> int:
    """Sweeps first, and of these the ones that begin with nothing else."""
    return (0 if job.base is None else 1) if job.is_sweep else 2


def firsts(configured: Sequence[Configured]) -> list[Configured]:
    """One job of each experiment, that of its first seed."""
    found: dict[str, Configured] = {}
    for one in configured:
        found.setdefault(one.job.experiment, one)
    return list(found.values())


def trials(plan: Plan, configured: Sequence[Configured]) -> set[str]:
    """Experiments on a sample whose figures nothing rests on: they show that everything works."""
    asked = {name for name, one in plan.experiments.items() if one.success}
    asked |= {one.gate.after for one in plan.experiments.values() if one.gate}
    asked |= {name for one in plan.experiments.values() if one.base for name in one.base.best_of}
    return {
        name
        for one in firsts(configured)
        if (name := one.job.experiment) not in asked | {plan.baseline}
        and one.composed.resolved["data"]["sample"] is not None
    }


class _Composing:
    """Composes experiment by experiment, each problem told once where it comes from."""

    def __init__(self, plan: Plan, searches: Mapping[str, Search], root: Path, found: Findings) -> None:
        self._plan = plan
        self._searches = dict(searches)
        self._root = root
        self._runs = resolve_paths(root)[1]
        self._composer = Composer(root)
        self._found = found

    def experiment(self, jobs: Sequence[Job]) -> list[Configured]:
        """Its jobs, the seeds; none where anything is wrong."""
        first = jobs[0]
        starts = self._starts(first)
        search = self._searches.get(first.experiment)
        if starts is None or (first.is_sweep and search is None):
            return []
        told: set[str] = set()
        on_bases = {one.label: self._composed(first, None, one, told) for one in starts if one}
        plain = [self._composed(job, None, starts[0], told) for job in jobs]
        fallbacks = {
            kind: [self._composed(first, kind, one, told) for one in starts] for kind in first.fallback
        }
        whole = [*on_bases.values(), *plain, *(one for its in fallbacks.values() for one in its)]
        if any(one is None for one in whole):
            return []
        trials = self._trials(first, search, starts) if search else None
        if search and trials is None:
            del self._searches[first.experiment]
            return []
        return [
            Configured(
                job=job,
                composed=composed,
                fallbacks={kind: its[0] for kind, its in fallbacks.items() if its[0] is not None},
                bases={label: one for label, one in on_bases.items() if one is not None},
                begun={one.label: one for one in starts if one},
                searched=trials,
            )
            for job, composed in zip(jobs, plain, strict=True)
            if composed is not None
        ]

    def _starts(self, job: Job) -> Sequence[Start | None] | None:
        """What it may begin with: nothing, or the words of a base; None where one of these is not known."""
        found: list[Start | None] = []
        for base in job.base.best_of if job.base else ():
            experiment = self._plan.experiments.get(base)
            if experiment is None or (experiment.kind == "sweep" and base not in self._searches):
                return None
            own = tuple(experiment.overrides)
            if experiment.kind != "sweep":
                found.append(Start(base, base, own))
                continue
            for words in self._searches[base].winners:
                label = f"{base}: {' '.join(words)}" if words else base
                found.append(Start(label, base, (*own, *words), words))
        return found or [None]

    def _trials(self, job: Job, search: Search, starts: Sequence[Start | None]) -> Searched | None:
        """The trials of a sweep, on each base it may get those of the first."""
        found = []
        told: dict[str, None] = {}
        for start in starts:
            try:
                found.append(
                    searched(job, search, job.overrides(None, start.words if start else ()), self._root)
                )
            except UsageError as error:
                told |= dict.fromkeys(error.problems)
        for problem in told:
            self._found.problem(("experiments", job.experiment, "sweep"), problem)
        return None if told else found[0]

    def _composed(self, job: Job, kind: str | None, start: Start | None, told: set[str]) -> Composed | None:
        words = job.overrides(kind, start.words if start else ())
        try:
            if job.is_sweep:
                words = (*words, *self._searches[job.experiment].spec.overrides)
            if job.verb == "cross-validate":
                folds = FoldWords.of(words)
                if folds.problems:
                    raise UsageError(folds.problems)
                words = tuple(folds.first)
            composed = self._composer.compose(words)
            if paths_of(composed.settings.paths, self._root)[1] != self._runs:
                raise UsageError("paths.runs: the queue looks for its runs where conf/ says; set it there")
            return composed
        except UsageError as error:
            for problem in error.problems:
                if problem not in told:
                    told.add(problem)
                    place = self._place_of(problem, job.experiment, kind, start.base if start else None)
                    self._found.problem(place, problem + _when(kind, start.label if start else None))
            return None

    def _place_of(self, problem: str, experiment: str, kind: str | None, base: str | None) -> Place:
        """The word that a problem speaks of, or the experiment where it is about several."""
        for place, word in words_of(self._plan, experiment, kind, base):
            key = re.escape(key_of(word))
            if problem.startswith((word, f"'{word}'")) or re.match(rf"{key}(?![\w.])", problem):
                return place
        here = ("experiments", experiment)
        return here if kind is None else (*here, "fallback", kind)


def _when(kind: str | None, base: str | None) -> str:
    told = ([f"after failing of {kind}"] if kind else []) + ([f"with {base} as base"] if base else [])
    return f" ({', '.join(told)})" if told else ""
