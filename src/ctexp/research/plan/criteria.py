"""Success criteria: thresholds, and which way is better, which must not contradict each other."""

import re
from itertools import pairwise
from typing import Any

from ctexp.core import metric_names, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.yaml_parts import Part, told
from ctexp.research.plan.content import Criterion, Direction

_THRESHOLDS = ("target", "acceptable", "failure")
_HIGHER = ("higher", "high", "max", "maximize", "maximise", "up", "increase", "greater", ">=", ">", "≥")
_LOWER = ("lower", "low", "min", "minimize", "minimise", "down", "decrease", "less", "<=", "<", "≤")
_WORDS: dict[str, Direction] = {
    **dict.fromkeys(_HIGHER, "higher"),
    **dict.fromkeys(_LOWER, "lower"),
}
_BOUND = re.compile(r"(>=|<=|[><≥≤])\s*(\S+)")
_FUNCTION = re.compile(r"e_\w+/")
"""What a handler's name puts before the metrics that it logs."""


def criteria(experiment: Part) -> dict[str, Criterion]:
    """The criteria of an experiment, by metric, in the order of the file."""
    section = experiment.part("success_criteria")
    found = {}
    for metric, said in section.data.items():
        # A number alone is a target, and so is a bound like `>= 0.85`.
        given = said if isinstance(said, dict) else {"target": said}
        part = Part(given, (*section.place, metric), section.mistakes)
        one = _criterion(metric, part)
        if one is not None:
            found[metric] = one
    return found


def _criterion(metric: str, part: Part) -> Criterion | None:
    extra = part.others(*_THRESHOLDS, "direction", "note")
    mistakes = part.mistakes
    own = _own_direction(metric)
    if own == "sealed":
        mistakes.say(part.place, "the test split is sealed; nothing is decided by it: use val/")
        return None
    read = {key: _threshold(part, key) for key in _THRESHOLDS}
    target, stated = read["target"]
    if part.data.get("target") is None:
        mistakes.say(part.place, "its target is missing")
    if target is None:
        return None
    acceptable, failure = read["acceptable"][0], read["failure"][0]
    direction = _direction(part, stated, target, acceptable, failure, own)
    if direction is None:
        return None
    return Criterion(
        metric=metric,
        target=target,
        acceptable=acceptable,
        failure=failure,
        direction=direction,
        note=str(part.data.get("note") or ""),
        extra=extra,
        line=mistakes.line(part.place),
    )


def _threshold(part: Part, key: str) -> tuple[float | None, Direction | None]:
    """A number, and the direction that a bound like `>= 0.85` says with it."""
    said: Any = part.data.get(key)
    bound = _BOUND.fullmatch(said.strip()) if isinstance(said, str) else None
    if bound is None:
        return part.number(key), None
    number = yaml_file.resolve(bound[2])
    return Part({key: number}, part.place, part.mistakes).number(key), _WORDS[bound[1]]


def _own_direction(metric: str) -> str | None:
    """Which way a metric is better that ctexp knows, `sealed` for one of test; None for any other."""
    name = _FUNCTION.sub("", metric, count=1)
    if name.startswith("test/"):
        return "sealed"
    try:
        name = metric_names.canonical(name)
    except UsageError:
        name = f"val/{name}"
    if name.startswith("test/"):
        return "sealed"
    try:
        return "higher" if metric_names.higher_is_better(name) else "lower"
    except UsageError:
        return None


def _direction(
    part: Part,
    bound: Direction | None,
    target: float,
    acceptable: float | None,
    failure: float | None,
    own: str | None,
) -> Direction | None:
    """Which way is better: what is said, else the order of the thresholds, else the metric's own."""
    said = part.data.get("direction")
    stated = bound
    if said is not None:
        stated = _WORDS.get(str(said).strip().lower())
        if stated is None:
            near = did_you_mean(str(said), ("higher", "lower"))
            part.say("direction", f"{told(said)} is none it can be; {near}")
            return None
        if bound is not None and bound != stated:
            part.say("direction", f"{said}, but its target is a bound the other way")
            return None
    direction: Direction | None = stated or _ordered(target, acceptable, failure)
    if direction is None:
        direction = "lower" if own == "lower" else "higher"
        if own is None:
            part.mistakes.note(part.place, "says no direction; higher is taken as better")
    if own is not None and own != direction:
        larger = "larger" if own == "higher" else "smaller"
        why = "" if stated else f", and its thresholds go the other way: {_told(target, acceptable, failure)}"
        part.mistakes.say(part.place, f"{larger} values of it are the better ones: direction {own}{why}")
        return None
    return direction if _orderly(part, direction, target, acceptable, failure) else None


def _ordered(target: float, acceptable: float | None, failure: float | None) -> Direction | None:
    """Which way the thresholds go; None where they do not say."""
    worst = failure if failure is not None else acceptable
    if worst is None or worst == target:
        return None
    return "higher" if target > worst else "lower"


def _orderly(
    part: Part, direction: Direction, target: float, acceptable: float | None, failure: float | None
) -> bool:
    """Whether target, acceptable and failure get worse in this order."""
    steps = [value for value in (target, acceptable, failure) if value is not None]
    sign = 1 if direction == "higher" else -1
    if all(sign * better >= sign * worse for better, worse in pairwise(steps)):
        return True
    wanted = "target >= acceptable >= failure" if sign > 0 else "target <= acceptable <= failure"
    said = _told(target, acceptable, failure)
    part.mistakes.say(part.place, f"where {direction} is better, {wanted}; got {said}")
    return False


def _told(target: float, acceptable: float | None, failure: float | None) -> str:
    values = {"target": target, "acceptable": acceptable, "failure": failure}
    return ", ".join(f"{key} {value:g}" for key, value in values.items() if value is not None)
