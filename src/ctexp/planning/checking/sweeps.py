"""What a plan may ask of a sweep, and of what begins with its best."""

from collections.abc import Iterator

from ctexp.planning.checking.findings import Findings
from ctexp.planning.plan.document import Experiment, Plan
from ctexp.planning.plan.load import Place

_NEEDED = {
    "sweep": "missing: the file that is searched by, or its name in conf/sweep",
    "budget": "missing: say how long it may search, 2h",
}
_NOT_OF_SWEEPS = {
    "success": "a sweep chooses, it proves nothing; give it to an experiment with it as base and fresh seeds",
    "fallback": "a trial that fails ends no sweep; leave it out",
}


def check_sweeps(plan: Plan, found: Findings) -> None:
    """Look at the keys alone; the files of sweeps are read later."""
    for name, experiment in plan.experiments.items():
        for key, said in _wrong_keys(experiment):
            if not found.is_left_out(("experiments", name, key)):
                found.problem(("experiments", name, key), said)
        _check_base(plan, name, experiment, found)
    if plan.baseline in plan.experiments and _is_sweep(plan, plan.baseline):
        found.problem(("baseline",), f"{plan.baseline} is a sweep: nothing can be compared with many trials")


def _wrong_keys(experiment: Experiment) -> Iterator[tuple[str, str]]:
    is_sweep = experiment.kind == "sweep"
    for key, said in _NEEDED.items():
        given = getattr(experiment, key) is not None
        if given and not is_sweep:
            yield key, "only a sweep has it; is kind: sweep meant?"
        elif is_sweep and not given:
            yield key, said
    for key, said in _NOT_OF_SWEEPS.items() if is_sweep else ():
        if getattr(experiment, key):
            yield key, said
    if is_sweep and len(experiment.seeds or ()) > 1:
        yield "seeds", "a sweep is one job; how many seeds each trial has says its file"


def _check_base(plan: Plan, name: str, experiment: Experiment, found: Findings) -> None:
    """The best of a sweep looks better than it is, by the very seeds that made it the best."""
    for index, other in enumerate(experiment.base.best_of if experiment.base else ()):
        if not _is_sweep(plan, other):
            continue
        place: Place = ("experiments", name, "base", "best_of", index)
        if experiment.base and len(experiment.base.best_of) > 1:
            said = "its best was chosen among many, which flatters it beside the others"
            found.warning(place, f"{other}: {said}; confirm each by itself")


def _is_sweep(plan: Plan, name: str) -> bool:
    return name in plan.experiments and plan.experiments[name].kind == "sweep"
