"""The sweeps of a plan: their files read, their trials composed, and how many trials there may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.config.compose import Composed
from ctexp.core.errors import UsageError
from ctexp.planning.checking.findings import Findings
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import Job
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.grid import cells, is_finite
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.locate import locate
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.file.words import words_of
from ctexp.sweeps.space import Choice, Values


@dataclass(frozen=True)
class Search:
    """A sweep as its file asks for it.

    Attributes:
        most: trials at most; None for no end but the budget's.
        winners: what trials may be set apart by, words that together hold every value of every choice; with
            the file's own, which all trials have.
    """

    spec: Spec
    most: int | None
    winners: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Searched:
    """What a job that is a sweep trains.

    Attributes:
        trials: configurations that stand for all, in which every value of every choice is.
        trainings: of each trial.
        most: trials at most; None for no end but the budget's.
    """

    trials: tuple[Composed, ...]
    trainings: int
    most: int | None


def searches(plan: Plan, jobs: Sequence[Job], root: Path, found: Findings) -> dict[str, Search]:
    """Read the sweeps of a plan, by experiment; those of which anything is wrong are left out and told."""
    read: dict[str, Search] = {}
    for job in jobs:
        name, file = job.experiment, plan.experiments[job.experiment].sweep
        if not job.is_sweep or file is None:
            continue
        place, typed = ("experiments", name, "sweep"), job.overrides()
        try:
            spec = _load(root, file, typed)
        except UsageError as error:
            for problem in error.problems:
                found.problem(place, problem)
            continue
        for line in spec.ignored:
            found.warning(place, line)
        examples = _examples(spec, Trials(root, spec, typed).looked_at)
        winners = tuple((*spec.overrides, *words_of(values)) for values in examples)
        read[name] = Search(spec, _most(spec), winners)
    return read


def searched(job: Job, search: Search, typed: Sequence[str], root: Path) -> Searched:
    """The trials of a job.

    Args:
        job: a sweep.
        search: its file.
        typed: the job's words, those of its base among them.
        root: the project's folder.

    Raises:
        UsageError: some trials do not compose; each is told with its line.
    """
    trials = Trials(root, search.spec, typed)
    if problems := trials.problems():
        raise UsageError(problems)
    composed = tuple(trials.composed(values) for values in _examples(search.spec, trials.looked_at))
    return Searched(composed, len(search.spec.members(job.seed)), search.most)


def check_seeds(plan: Plan, read: Mapping[str, Search], found: Findings) -> None:
    """What has chosen the best of a sweep cannot judge it: an experiment on it needs seeds of its own."""
    for name, experiment in plan.experiments.items():
        for other in experiment.base.best_of if experiment.base else ():
            if other not in read or experiment.kind == "sweep":
                continue
            choosing = read[other].spec.seeds or plan.experiments[other].seeds_in(plan)
            if used := sorted(set(experiment.seeds_in(plan)) & set(choosing)):
                seeds = f"seed{'' if len(used) == 1 else 's'} {', '.join(map(str, used))}"
                found.warning(
                    ("experiments", name, "seeds"),
                    f"{other} chooses its best by {seeds}, which flatters that: judge it by others",
                )


def _load(root: Path, said: str, typed: Sequence[str]) -> Spec:
    path = locate(root, said)
    if not path.is_relative_to(root.resolve()):
        raise UsageError(f"{said}: outside the project: sweeps are committed with it")
    return load(path, path.relative_to(root.resolve()).as_posix(), typed)


def _examples(spec: Spec, looked_at: Sequence[Values]) -> list[Values]:
    """As few of these as show every value of every choice; costs differ by them, hardly within a range."""
    choices = {one.key for one in spec.space.parameters if isinstance(one.dimension, Choice)}
    shown: set[tuple[str, str]] = set()
    found: list[Values] = []
    for values in looked_at:
        its = {(key, repr(value)) for key, value in values.items() if key in choices}
        if not found or its - shown:
            found.append(values)
            shown |= its
    return found


def _most(spec: Spec) -> int | None:
    """As many as there are different ones, and no more than its cap."""
    whole = len(cells(spec.space)) if spec.method == "grid" or is_finite(spec.space) else None
    return min((count for count in (whole, spec.run_cap) if count is not None), default=None)
