"""Ids in a plan that name its experiments: all there, none waiting for itself, none too long for a run."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ctexp.core.names import ID_PATTERN, did_you_mean
from ctexp.planning.checking.findings import Findings
from ctexp.planning.plan.document import Experiment, Plan
from ctexp.planning.plan.jobs import key_of
from ctexp.planning.plan.load import Place

_LONGEST = 64
"""Characters of a `run.name`."""


def check_references(plan: Plan, found: Findings) -> None:
    """Find ids that name nothing, circles, bases on bases, and names that no run could have."""
    for name, experiment in plan.experiments.items():
        for place, other in _named(name, experiment):
            if other == name:
                found.problem(place, f"{name} would wait for itself")
            elif other not in plan.experiments:
                near = did_you_mean(other, plan.experiments)
                found.problem(place, f"{other}: no such experiment{f'; {near}' if near else ''}")
        _check_base(name, experiment, plan, found)
        _check_names(name, experiment, plan, found)
    _check_circle(plan, found)


def _named(name: str, experiment: Experiment) -> Iterator[tuple[Place, str]]:
    here = ("experiments", name)
    for index, other in enumerate(experiment.needs):
        yield (*here, "needs", index), other
    if experiment.gate:
        yield (*here, "gate", "after"), experiment.gate.after
    for index, other in enumerate(experiment.base.best_of if experiment.base else ()):
        yield (*here, "base", "best_of", index), other


def _check_base(name: str, experiment: Experiment, plan: Plan, found: Findings) -> None:
    """A winner hands on its own overrides; one that stands on another winner has none to hand on."""
    for index, other in enumerate(experiment.base.best_of if experiment.base else ()):
        if other in plan.experiments and plan.experiments[other].base and other != name:
            place = ("experiments", name, "base", "best_of", index)
            found.problem(place, f"{other} has a base itself; name what it begins with, or write it out")


def _check_names(name: str, experiment: Experiment, plan: Plan, found: Findings) -> None:
    """The name of its runs, which is longer after a failure."""
    here = ("experiments", name)
    if any(key_of(word) == "run.name" for word in experiment.overrides):
        return
    run = f"{plan.name}-{name}"
    longest = max([run, *(f"{run}-{kind}" for kind in experiment.fallback)], key=len)
    if len(longest) > _LONGEST and ID_PATTERN.fullmatch(name):
        found.problem(
            here, f"its runs would be named {longest}, {len(longest)} characters of at most {_LONGEST}"
        )


def _check_circle(plan: Plan, found: Findings) -> None:
    graph = {
        name: {other for _, other in _named(name, experiment) if other != name and other in plan.experiments}
        for name, experiment in plan.experiments.items()
    }
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            found.problem(("experiments", circle[0]), f"waits for itself: {' waits for '.join(circle)}")
            # Without one of its threads the next circle shows.
            graph[circle[0]].discard(circle[1])
        else:
            return
