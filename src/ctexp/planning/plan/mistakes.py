"""What a plan says wrongly, in the words of people; and what is left of it without that."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ctexp.core.names import ID_PATTERN, did_you_mean
from ctexp.planning.plan import document
from ctexp.planning.plan.document import Plan

Place = Sequence[str | int]
"""Where something stands in a plan: `("experiments", "x", "overrides", 0)`."""

KeysAt = Callable[[Place, Any], Sequence[str]]

_DECIDING = {"name", "baseline", "seeds", "common", "kind", "sweep", "overrides", "base"}
"""What other checks stand on: without one of these they would find what is not wrong."""

_EXPECTED = {
    "string_type": "text",
    "string_too_short": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "too_short": "at least one",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}


def found_in(data: Mapping[str, Any], name: str) -> list[tuple[Place, str]]:
    """Every mistake with its place.

    Args:
        data: a plan as it was written.
        name: what its file says it is called.
    """
    try:
        Plan.model_validate(data, context={"name": name})
    except ValidationError as error:
        return told(error, data, document.keys_at)
    return []


def without(data: Mapping[str, Any], places: Sequence[Place]) -> dict[str, Any] | None:
    """A plan without the parts that hold these places; None where what is left would be another plan."""
    left = {key: value for key, value in data.items() if key != "experiments"}
    experiments = data.get("experiments")
    if not isinstance(experiments, dict) or not all(isinstance(one, dict) for one in experiments.values()):
        return None
    kept = {name: dict(experiment) for name, experiment in experiments.items()}
    for place in places:
        owner, key = (left, place[:1]) if place[:1] != ["experiments"] else (None, place[2:3])
        if not key or key[0] in _DECIDING:
            return None
        (kept[str(place[1])] if owner is None else owner).pop(str(key[0]), None)
    return {**left, "experiments": kept}


def told(error: ValidationError, data: Mapping[str, Any], keys_at: KeysAt) -> list[tuple[Place, str]]:
    """Where each problem is that pydantic found, and what it is.

    Args:
        error: the problems.
        data: what it looked at.
        keys_at: the keys that may stand at a place of such data.
    """
    return [_told(dict(detail), data, keys_at) for detail in error.errors(include_url=False)]


def _told(detail: Mapping[str, Any], data: Mapping[str, Any], keys_at: KeysAt) -> tuple[Place, str]:
    place = _written(detail["loc"], data)
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        near = did_you_mean(str(place[-1]), keys_at(place[:-1], data))
        return place, f"unknown key; {near}" if near else "unknown key"
    if kind == "missing":
        return place, "missing"
    if kind == "value_error":
        said = str(detail["ctx"]["error"])
        field, _, what = said.partition(": ")
        own = isinstance(value, Mapping) and field in keys_at(place, data)
        return ([*place, field], what) if own else (place, said)
    if kind == "literal_error":
        options = [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return place, f"expected {' or '.join(options)}, got {_shown(value)}{_near(value, options)}"
    said = f"expected {_EXPECTED[kind]}" if kind in _EXPECTED else detail["msg"]
    if kind == "string_pattern_mismatch":
        said = f"expected {_in_words(detail['ctx']['pattern'])}"
    said = (said[:1].lower() + said[1:]).removeprefix("input ")
    return place, f"{said}, got {_shown(value)}"


def _in_words(pattern: str) -> str:
    """What a text should look like, in words."""
    if ID_PATTERN.pattern in pattern:
        return "at most 64 lower-case letters, digits, '_' and '-', beginning with a letter or digit"
    return "a number with its unit, for example 20GB" if "GiB" in pattern else f"text like {pattern}"


def _near(value: Any, options: Sequence[str]) -> str:
    near = did_you_mean(value, options) if isinstance(value, str) else ""
    return f"; {near}" if near.startswith("did") else ""


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _written(location: Sequence[str | int], data: Any) -> list[str | int]:
    """A location of pydantic's without what it adds of its own: kinds of a union, marks of keys."""
    place: list[str | int] = []
    for part in location:
        if part == "[key]" or (part in document.UNIONS and not (isinstance(data, dict) and part in data)):
            continue
        place.append(part)
        try:
            data = data[part]
        except (LookupError, TypeError):
            data = None
    return place
