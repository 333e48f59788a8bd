"""One thing in which two runs differ."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A thing in which two differ.

    Attributes:
        what: its name.
        one: what it is of the first; None where that has no such thing.
        other: of the second.
    """

    what: str
    one: str | None
    other: str | None


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Row]:
    """The keys of two flat mappings that differ, in their order; those of one alone among them.

    `false` is not 0, and a key whose value is null not one that is missing.
    """
    keys = [*one, *(key for key in other if key not in one)]
    return [Row(key, _said(one, key), _said(other, key)) for key in keys if not _same(one, other, key)]


def _same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    if (key in one) != (key in other) or isinstance(one[key], bool) != isinstance(other[key], bool):
        return False
    return bool(one[key] == other[key])


def _said(mapping: Mapping[str, Any], key: str) -> str | None:
    if key not in mapping:
        return None
    value = mapping[key]
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
