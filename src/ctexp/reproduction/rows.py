"""One thing in which two runs differ."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

ABSENT: Final = object()
"""What a run is that has no such thing; a setting that is null is there."""


class Measured(NamedTuple):
    """A metric with its interval; null where it is undefined, or has no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Row(NamedTuple):
    """A thing in which two differ.

    Attributes:
        what: its name.
        one: what it is of the first, as it was recorded; `ABSENT` where that has no such thing.
        other: of the second.
    """

    what: str
    one: Any
    other: Any

    @property
    def said(self) -> tuple[str | None, str | None]:
        """Both as a person reads them; None for what is not there."""
        return _said(self.one), _said(self.other)

    def document(self) -> dict[str, Any]:
        """JSON values; of a run that has no such thing there is no key."""
        sides = {"a": self.one, "b": self.other}
        return {"what": self.what} | {key: _plain(its) for key, its in sides.items() if its is not ABSENT}


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Row]:
    """The keys of two flat mappings that differ, in their order; those of one alone among them.

    `false` is not 0, and a key whose value is null not one that is missing.
    """
    keys = [*one, *(key for key in other if key not in one)]
    return [
        Row(key, one.get(key, ABSENT), other.get(key, ABSENT)) for key in keys if not _same(one, other, key)
    ]


def _same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    if (key in one) != (key in other) or isinstance(one[key], bool) != isinstance(other[key], bool):
        return False
    return bool(one[key] == other[key])


def _said(value: Any) -> str | None:
    match value:
        case _ if value is ABSENT:
            return None
        case Measured():
            return _measured(value)
        case None | bool():
            return json.dumps(value)
        case _:
            return str(value)


def _measured(metric: Measured) -> str | None:
    """`0.8123 (0.742-0.871)`."""
    if metric.value is None or not math.isfinite(metric.value):
        return None
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4f} (no interval)"
    return f"{metric.value:.4f} ({metric.low:.3f}-{metric.high:.3f})"


def _plain(value: Any) -> Any:
    """As JSON has it; a number that is none is null, and what JSON has no form for its text."""
    match value:
        case Measured():
            return _plain(value._asdict())
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case None | str() | int():
            return value
        case _:
            return str(value)
