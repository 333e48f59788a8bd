"""The parameters of a file: nested ones by dotted keys, each with what it may be and when it applies."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ctexp.config.keys import EXPERIMENT, GROUPS, keys, nearest_key
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean
from ctexp.core.yaml_parts import Mistakes, Part, Place, told
from ctexp.sweeps.file import distributions, expressions
from ctexp.sweeps.file.expressions import Condition
from ctexp.sweeps.file.grid import points
from ctexp.sweeps.space import Dimension, Parameter, Range, Space

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")

_MOST = 200
"""More than a configuration has keys."""

_NOT_CHOSEN = {
    "run": "trials are named by the sweep",
    "paths": "it is where the sweep itself looks for its runs",
    "git": "it changes nothing about a training",
    "data.fold": "a sweep does not choose the easiest fold; ctexp: {folds: 5} trains every trial on each",
    "seed": "a sweep does not choose the luckiest seed; ctexp: {seeds: [1, 2]} trains every trial with each",
}
"""What no sweep is over, and why."""


def space(parameters: Part, ctexp: Part, method: str) -> Space:
    """Everything that is searched.

    Args:
        parameters: of the file.
        ctexp: our section of the file, for `conditions` and `constraints`.
        method: of the sweep; a grid takes what has an end of values only.
    """
    mistakes = parameters.mistakes
    found: dict[str, Parameter] = {}
    places: dict[str, Place] = {}
    flat = list(_flat(parameters, ""))
    if len(flat) > _MOST:
        parameters.mistakes.say(parameters.place, f"{len(flat)} of them, more than the {_MOST} there may be")
    for key, entry in flat:
        places.setdefault(key, entry.place)
        if key not in (*keys(), *GROUPS, EXPERIMENT):
            mistakes.say_besides(entry.place, partial(_unknown, key))
        if key in found:
            mistakes.say(entry.place, f"{key} is given twice, first on line {found[key].line}")
        elif _may_be_chosen(key, entry):
            values = distributions.dimension(entry) if entry.data else None
            if values is not None and method == "grid" and points(values) is None:
                mistakes.say(entry.place, "a grid takes values, whole numbers, or a range with a step")
            elif values is not None:
                found[key] = Parameter(key, values, None, mistakes.line(entry.place))
                if method != "grid" and "distribution" not in entry:
                    _note_wide(entry, values)
    for inner in places:
        outer = next((key for key in places if inner.startswith(f"{key}.")), None)
        if outer is not None and (constant := found.get(outer)) is not None and "." in outer:
            mistakes.say(places[inner], f"is a part of {outer}, line {constant.line}; keep one")
    conditions = _conditions(ctexp.part("conditions"), places)
    constraints = _constraints(ctexp, places)
    ordered = _ordered(found, conditions, ctexp)
    return Space(tuple(ordered), constraints)


def _note_wide(entry: Part, values: Dimension) -> None:
    """Say what it means to draw evenly from more than two decades."""
    if isinstance(values, Range) and 0 < 100 * values.low < values.high:
        entry.mistakes.note(
            entry.place,
            f"without a distribution nine in ten draws lie above {values.high / 10:g}; "
            "distribution: log_uniform_values draws every decade alike",
        )


def _unknown(key: str) -> str:
    return f"unknown key; {nearest_key(key)}"


def _flat(part: Part, prefix: str) -> Iterator[tuple[str, Part]]:
    """Every parameter by its dotted key."""
    for name, said in part.data.items():
        key = f"{prefix}{name}"
        entry = part.part(name)
        if _KEY.fullmatch(name) is None:
            part.say(name, "a parameter is a key of the configuration, for example optimizer.lr")
        elif said is None or said == {}:
            part.say(name, "nothing says what it may be: value, values, or min and max")
        elif "parameters" in entry:
            entry.only("parameters")
            if not entry.data["parameters"]:
                entry.say("parameters", "at least one")
            yield from _flat(entry.part("parameters"), f"{key}.")
        else:
            yield key, entry


def _may_be_chosen(key: str, entry: Part) -> bool:
    """Whether a sweep can be over a key; a seed that is one value was read as the seed of every trial."""
    outer = next((name for name in (key, key.partition(".")[0]) if name in _NOT_CHOSEN), None)
    if outer is None:
        return True
    if key == "seed" and "value" in entry:
        return False
    entry.mistakes.say(entry.place, f"not for a sweep to choose: {_NOT_CHOSEN[outer]}")
    return False


def _conditions(part: Part, known: Mapping[str, Place]) -> dict[str, Condition]:
    """When a parameter applies, by its key."""
    found = {}
    for key, said in part.data.items():
        if key not in known:
            near = did_you_mean(key, known)
            part.say(key, f"no parameter of this sweep{f'; {near}' if near else ''}")
        elif (condition := _read(part.mistakes, (*part.place, key), said, known, lacking=False)) is not None:
            if key in condition.names:
                part.say(key, f"{condition.text!r} speaks of {key} itself")
            else:
                found[key] = condition
    return found


def _constraints(ctexp: Part, known: Mapping[str, Place]) -> tuple[Condition, ...]:
    read = (
        _read(ctexp.mistakes, place, said, known, lacking=True) for place, said in ctexp.texts("constraints")
    )
    return tuple(condition for condition in read if condition is not None)


def _read(
    mistakes: Mistakes, place: Place, said: object, known: Mapping[str, Place], *, lacking: bool
) -> Condition | None:
    """A condition; None where it is wrong, and was noted."""
    if not isinstance(said, str):
        mistakes.say(place, f"expected a condition like: loss == 'focal', got {told(said)}")
        return None
    try:
        condition = expressions.read(said, lacking=lacking)
    except UsageError as error:
        mistakes.say(place, str(error))
        return None
    for name in condition.names:
        if name not in known:
            near = did_you_mean(name, known)
            near = near or f"to compare with a text, quote it: '{name}'"
            mistakes.say(place, f"{name} is no parameter of this sweep; {near}")
            return None
    return condition


def _ordered(
    found: Mapping[str, Parameter], conditions: Mapping[str, Condition], ctexp: Part
) -> Sequence[Parameter]:
    """In the order of the file, but each after those that its condition speaks of."""
    ordered: dict[str, Parameter] = {}

    def add(key: str, waiting: tuple[str, ...]) -> None:
        condition = conditions.get(key)
        for name in condition.names if condition else ():
            if name in waiting:
                circle = " and ".join(dict.fromkeys((*waiting, name)))
                ctexp.mistakes.say((*ctexp.place, "conditions", key), f"{circle} each wait for the other")
                return
            if name in found and name not in ordered:
                add(name, (*waiting, name))
        known = found[key]
        ordered.setdefault(key, Parameter(key, known.dimension, condition, known.line))

    for key in found:
        add(key, (key,))
    return list(ordered.values())
