"""What parts of a plan say of each other: every name is there, and nothing waits for itself."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ctexp.core.names import did_you_mean
from ctexp.core.yaml_parts import Mistakes, Place
from ctexp.research.plan.content import Experiment, Gate, ResearchPlan


def check(
    experiments: Mapping[str, Experiment], gates: Mapping[str, Gate], archived: Any, mistakes: Mistakes
) -> None:
    """Note every name that is none, and every circle; a pivot may replace what was archived."""
    kept = archived if isinstance(archived, list | dict) else [archived]
    gone = {str(one.get("id") if isinstance(one, dict) else one) for one in kept}

    def known(names: Iterable[str], place: Place, *, also: Iterable[str] = ()) -> None:
        for name in names:
            if name not in experiments and name not in also:
                mistakes.say(place, _unknown(name, experiments, gates, gone))

    for one in experiments.values():
        known(one.dependencies, ("experiments", one.id, "dependencies"))
        known([one.replaces] if one.replaces else [], ("experiments", one.id, "replaces"), also=gone)
    for gate in gates.values():
        known(gate.experiments, ("gates", gate.id, "experiments"))
    for circle in _walk(needs(experiments, gates))[1]:
        mistakes.say(("experiments", circle[0]), f"waits for itself: {' -> '.join(circle)}")


def needs(experiments: Mapping[str, Experiment], gates: Mapping[str, Gate]) -> dict[str, tuple[str, ...]]:
    """What each experiment waits for: its dependencies, and all experiments of the gates that unlock it."""
    return {
        one.id: (
            *one.dependencies,
            *(name for gate in gates.values() if one.id in gate.unlocks for name in gate.experiments),
        )
        for one in experiments.values()
    }


def in_order(plan: ResearchPlan) -> tuple[str, ...]:
    """All experiments in the order of the file, but each after what it waits for."""
    return _walk(needs(plan.experiments, plan.gates))[0]


def _walk(waiting: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The order, and circles such as `(a, b, a)`; without recursion: what waits may be a long chain."""
    done: dict[str, None] = {}
    circles: list[tuple[str, ...]] = []
    for first in waiting:
        path: dict[str, Iterator[str]] = {} if first in done else {first: iter(waiting[first])}
        while path:
            name, others = next(reversed(path.items()))
            other = next(others, None)
            if other is None:
                del path[name]
                done[name] = None
            elif other in path:
                names = list(path)
                circles.append((*names[names.index(other) :], other))
            elif other in waiting and other not in done:
                path[other] = iter(waiting[other])
    return tuple(done), circles


def _unknown(
    name: str, experiments: Mapping[str, Experiment], gates: Mapping[str, Gate], archived: Iterable[str]
) -> str:
    if name in archived:
        return f"{name} is archived, so nothing will be found of it; leave it out"
    if name in gates:
        return f"{name} is a gate; name this experiment in its unlocks instead"
    near = did_you_mean(name, experiments)
    return f"there is no experiment {name}; {near}" if near else f"there is no experiment {name}"
