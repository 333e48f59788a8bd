"""From a plain document to `Settings`, or to one line for each thing that is wrong with it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from ctexp.config.keys import Key, keys, nearest_key
from ctexp.config.schema import Settings
from ctexp.core.names import did_you_mean

Origin = Callable[[str], str]
"""From a dotted key to the file or variable that set it; empty for the command line."""


def validated(document: dict[str, Any], origin: Origin) -> tuple[Settings | None, list[str]]:
    """Check a document against the schema.

    Returns:
        The settings and no problems, or None and every problem.
    """
    try:
        return Settings.model_validate(document), []
    except ValidationError as error:
        problems = [_line(dict(detail), document, origin) for detail in error.errors(include_url=False)]
        return None, list(dict.fromkeys(problems))


def _line(detail: dict[str, Any], document: dict[str, Any], origin: Origin) -> str:
    """`data.batch_size (conf/data/mine.yaml): expected a whole number from 1 to 4096, got 0`."""
    path = _without_variant([str(part) for part in detail["loc"]])
    name = ".".join(path)
    kind = detail["type"]
    if kind == "value_error":
        said = str(detail["ctx"]["error"])
        # A check of one field speaks of its value only; a check between fields names its keys itself.
        return f"{_place(name, origin)}: {said}" if name in keys() and keys()[name].kind != "keys" else said
    if kind == "extra_forbidden":
        return f"{_place(name, origin)}: {_unknown(name, document)}"
    key = _nearest_above(path)
    if kind == "missing":
        return f"{_place(name, origin)}: missing; expected {key.expected}"
    value = _value_at(document, key.name.split("."))
    if kind.startswith("union_tag") and isinstance(value, dict):
        key, value = keys()[f"{key.name}.name"], value.get("name")
    return f"{_place(key.name, origin)}: expected {key.expected}, got {_shown(value)}{_hint(key, value)}"


def _without_variant(path: list[str]) -> list[str]:
    """Drop the variant that pydantic puts after the name of a union: `optimizer.adamw.lr`."""
    if len(path) > 1:
        choice = keys().get(f"{path[0]}.name")
        if choice is not None and path[1] in choice.variants:
            return [path[0], *path[2:]]
    return path


def _nearest_above(path: Sequence[str]) -> Key:
    """The key of a path, or the one it lies in: `run.tags` for `run.tags.0`."""
    names = (".".join(path[:length]) for length in range(len(path), 0, -1))
    return next(keys()[name] for name in names if name in keys())


def _place(name: str, origin: Origin) -> str:
    source = origin(name)
    return f"{name} ({source})" if source else name


def _unknown(name: str, document: dict[str, Any]) -> str:
    """What to say of a key that is not there, or not there with this optimizer."""
    if name in keys():
        group = name.partition(".")[0]
        variants = " or ".join(f"{group}={variant}" for variant in keys()[name].variants)
        return f"does not belong to {group}={document[group]['name']}; it is of {variants}"
    return f"unknown key; {nearest_key(name)}"


def _value_at(document: Any, path: Sequence[str]) -> Any:
    for part in path:
        document = document[part]
    return document


def _shown(value: Any) -> str:
    """A value in short, as one writes it: `null` and `true`, not Python's words for them."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _hint(key: Key, value: Any) -> str:
    """The nearest option, or how to say that a number is meant as text."""
    if isinstance(value, str) and len(key.options) > 1:
        near = did_you_mean(value, key.options)
        return f"; {near}" if near.startswith("did") else ""
    if key.kind == "text" and isinstance(value, bool | int | float):
        return f"; quote what is meant as text: '{key.name}=\"{value}\"'"
    return ""
