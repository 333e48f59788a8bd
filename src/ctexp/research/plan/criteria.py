"""Success criteria: thresholds, and which way is better, which must not contradict each other."""

import re
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple, get_args

from ctexp.core import metric_names, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.yaml_parts import Part, told
from ctexp.research.plan.content import Criterion, Direction

_HIGHER = ("higher", "high", "max", "maximize", "maximise", "up", "increase", "greater", ">=", ">", "≥")
_LOWER = ("lower", "low", "min", "minimize", "minimise", "down", "decrease", "less", "<=", "<", "≤")
_WORDS: dict[str, Direction] = {**dict.fromkeys(_HIGHER, "higher"), **dict.fromkeys(_LOWER, "lower")}
_BOUND = re.compile(r"(>=|<=|[><≥≤])\s*(\S+)")
_FUNCTION = re.compile(r"e_\w+/")
"""What a handler's name puts before the metrics that it logs."""


class Thresholds(NamedTuple):
    """Target, acceptable and failure, the last two where they are given."""

    target: float
    acceptable: float | None
    failure: float | None

    @property
    def direction(self) -> Direction | None:
        """Which way they get better; None where they do not say."""
        worst = self.failure if self.failure is not None else self.acceptable
        if worst is None or worst == self.target:
            return None
        return "higher" if self.target > worst else "lower"

    def orderly(self, direction: Direction) -> bool:
        """Whether they get worse in this order."""
        sign = 1 if direction == "higher" else -1
        steps = [sign * value for value in self if value is not None]
        return all(better >= worse for better, worse in pairwise(steps))

    def __str__(self) -> str:
        given = zip(self._fields, self, strict=True)
        return ", ".join(f"{name} {value:g}" for name, value in given if value is not None)


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
    extra = part.others(*Thresholds._fields, "direction", "note")
    known = _known(metric)
    if known.startswith("test/"):
        part.mistakes.say(part.place, "the test split is sealed; nothing is decided by it: use val/")
        return None
    target, bound = _number(part, "target")
    acceptable, failure = _number(part, "acceptable")[0], _number(part, "failure")[0]
    if part.data.get("target") is None:
        part.mistakes.say(part.place, "its target is missing")
    if target is None:
        return None
    thresholds = Thresholds(target, acceptable, failure)
    direction = _direction(part, _stated(part, bound), thresholds, _own_direction(known))
    note, line = str(part.data.get("note") or ""), part.mistakes.line(part.place)
    return Criterion(metric, target, acceptable, failure, direction, note, extra, line)


def _number(part: Part, key: str) -> tuple[float | None, Direction | None]:
    """A threshold, and the direction that a bound like `>= 0.85` says with it."""
    said: Any = part.data.get(key)
    bound = _BOUND.fullmatch(said.strip()) if isinstance(said, str) else None
    if bound is None:
        return part.number(key), None
    number = yaml_file.resolve(bound[2])
    return Part({key: number}, part.place, part.mistakes).number(key), _WORDS[bound[1]]


def _known(metric: str) -> str:
    """A metric as ctexp calls it, `val/macro_f1`; one that it does not know as it is."""
    name = _FUNCTION.sub("", metric, count=1)
    try:
        return metric_names.canonical(name)
    except UsageError:
        return name


def _own_direction(known: str) -> Direction | None:
    """Which way a metric is better; None for one that ctexp does not know."""
    for name in (known, f"val/{known}"):
        with suppress(UsageError):
            return "higher" if metric_names.higher_is_better(name) else "lower"
    return None


def _stated(part: Part, bound: Direction | None) -> Direction | None:
    """The direction that is written down, in a word of its own or as a bound."""
    said = part.data.get("direction")
    if said is None:
        return bound
    stated = _WORDS.get(str(said).strip().lower())
    if stated is None:
        part.say(
            "direction", f"{told(said)} is none it can be; {did_you_mean(str(said), get_args(Direction))}"
        )
    elif bound not in (None, stated):
        part.say("direction", f"{said}, but its target is a bound the other way")
    return stated


def _direction(part: Part, stated: Direction | None, its: Thresholds, own: Direction | None) -> Direction:
    """Which way is better: what is said, else the order of the thresholds, else the metric's own."""
    direction = stated or its.direction or own or "higher"
    if own not in (None, direction):
        larger = "larger" if own == "higher" else "smaller"
        why = "" if stated else f", and its thresholds go the other way: {its}"
        part.mistakes.say(part.place, f"{larger} values of it are the better ones: direction {own}{why}")
    elif not its.orderly(direction):
        sign = ">=" if direction == "higher" else "<="
        wanted = f"target {sign} acceptable {sign} failure"
        part.mistakes.say(part.place, f"where {direction} is better, {wanted}; got {its}")
    elif not (stated or its.direction or own) and "direction" not in part:
        part.mistakes.note(part.place, "says no direction; higher is taken as better")
    return direction
