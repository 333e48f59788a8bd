"""What a file of `conf/executor` says wrongly, in the words of people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from ctexp.config.schema.base import Strict
from ctexp.core.names import did_you_mean

Path = tuple[str | int, ...]
"""Where something stands in a document: `("devices", 0, "name")`."""


def of_kind(document: Mapping[str, Any], kinds: Sequence[str]) -> str:
    """What is wrong with `kind`, which decides what all else means."""
    expected = f"expected {', '.join(kinds[:-1])} or {kinds[-1]}"
    if "kind" not in document:
        return f"kind: missing; {expected}"
    kind = document["kind"]
    near = did_you_mean(kind, kinds) if isinstance(kind, str) else ""
    return f"kind: {expected}, got {_shown(kind)}{f'; {near}' if near.startswith('did') else ''}"


def told(error: ValidationError, document: Mapping[str, Any], model: type[Strict]) -> list[str]:
    """A line for each mistake, which begins with its key."""
    found: dict[Path, Mapping[str, Any]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_written(dict(detail), document), dict(detail))
    # A union complains of each of its members: what lies deeper is what was meant.
    deepest = [one for one in found if not any(other[: len(one)] == one != other for other in found)]
    return [f"{'.'.join(map(str, one))}: {_line(one, found[one], model)}" for one in deepest]


def _line(path: Path, detail: Mapping[str, Any], model: type[Strict]) -> str:
    *above, key = path
    fields = list(_fields(model, above))
    if detail["type"] == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(key), fields)}".rstrip("; ")
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    expected = _expected(model, path)
    if detail["type"] == "missing":
        return f"missing; expected {expected}"
    return f"expected {expected}, got {_shown(detail['input'])}"


def _expected(model: type[Strict], path: Path) -> str:
    """What the nearest key above says of itself."""
    for length in range(len(path), 0, -1):
        field = _fields(model, path[: length - 1]).get(str(path[length - 1]))
        if field is not None and field.description:
            return str(field.description)
    return "something else"


def _fields(model: type[Strict], above: Sequence[str | int]) -> Mapping[str, Any]:
    """The keys that there are at a place."""
    for part in above:
        if isinstance(part, str):
            inner = (
                next(_models(model.model_fields[part].annotation), None)
                if part in model.model_fields
                else None
            )
            if inner is None:
                return {}
            model = inner
    return model.model_fields


def _models(annotation: Any) -> Iterator[type[Strict]]:
    """The models within a type: that of the items of a list."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _written(detail: Mapping[str, Any], document: Any) -> Path:
    """Where a mistake stands, without the members of unions, which nobody has written."""
    *above, last = detail["loc"]
    path: list[str | int] = []
    for part in above:
        if _has(document, part):
            document = document[part]
            path.append(part)
    if detail["type"] in ("missing", "extra_forbidden") or _has(document, last):
        path.append(last)
    return tuple(path)


def _has(document: Any, part: str | int) -> bool:
    if isinstance(document, list):
        return isinstance(part, int) and part < len(document)
    return isinstance(document, Mapping) and part in document


def _shown(value: Any) -> str:
    """A value in short, as one writes it: `null` and `true`, not Python's words for them."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
