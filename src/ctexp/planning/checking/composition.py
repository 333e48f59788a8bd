"""The configuration of every job: as it begins, after each failure, and on each base it may get."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.config.compose import Composed, Composer, paths_of, resolve_paths
from ctexp.config.folds import FoldWords
from ctexp.core.errors import UsageError
from ctexp.planning.checking.findings import Findings
from ctexp.planning.checking.words import words_of
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job, key_of
from ctexp.planning.plan.load import Place


@dataclass(frozen=True)
class Configured:
    """A job whose every configuration composes.

    Attributes:
        composed: as it begins; with the first of `bases`, where it has a base.
        fallbacks: by the kind of failure; those of the experiment's first seed.
        bases: by the experiment that may win its base; likewise.
    """

    job: Job
    composed: Composed
    fallbacks: Mapping[str, Composed]
    bases: Mapping[str, Composed]


def configure(plan: Plan, jobs: Sequence[Job], root: Path, found: Findings) -> list[Configured]:
    """Compose every job.

    What fails and what wins changes nothing about seeds: fallbacks and bases are composed with the first.

    Args:
        plan: the plan.
        jobs: its jobs.
        root: the project's folder.
        found: where problems go.

    Returns:
        The jobs of the experiments of which nothing fails to compose.
    """
    composing = _Composing(plan, root, found)
    by_experiment: dict[str, list[Job]] = {}
    for job in jobs:
        by_experiment.setdefault(job.experiment, []).append(job)
    return [one for its in by_experiment.values() for one in composing.experiment(its)]


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

    def __init__(self, plan: Plan, root: Path, found: Findings) -> None:
        self._plan = plan
        self._root = root
        self._runs = resolve_paths(root)[1]
        self._composer = Composer(root)
        self._found = found

    def experiment(self, jobs: Sequence[Job]) -> list[Configured]:
        """Its jobs, the seeds; none where anything is wrong."""
        first = jobs[0]
        bases = first.base.best_of if first.base else ()
        if any(base not in self._plan.experiments for base in bases):
            return []
        told: set[str] = set()
        on_bases = {base: self._composed(first, None, base, told) for base in bases}
        plain = [self._composed(job, None, bases[0] if bases else None, told) for job in jobs]
        fallbacks = {
            kind: [self._composed(first, kind, base, told) for base in bases or (None,)]
            for kind in first.fallback
        }
        whole = [*on_bases.values(), *plain, *(one for its in fallbacks.values() for one in its)]
        if any(one is None for one in whole):
            return []
        return [
            Configured(
                job,
                composed,
                {kind: its[0] for kind, its in fallbacks.items() if its[0] is not None},
                {base: one for base, one in on_bases.items() if one is not None},
            )
            for job, composed in zip(jobs, plain, strict=True)
            if composed is not None
        ]

    def _composed(self, job: Job, kind: str | None, base: str | None, told: set[str]) -> Composed | None:
        words = job.overrides(kind, tuple(self._plan.experiments[base].overrides) if base else ())
        try:
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
                    place = self._place_of(problem, job.experiment, kind, base)
                    self._found.problem(place, problem + _when(kind, base))
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
