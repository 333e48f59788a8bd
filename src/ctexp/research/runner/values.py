"""Whatever handlers hand over, as plain values: numpy's and torch's are known by what they can do."""

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from ctexp.core.errors import UsageError

Warn = Callable[[str], None]


def number(value: Any, what: str, warn: Warn) -> float | int | None:
    """One finite number; None for what is undefined, after a warning.

    Args:
        value: a number, an array or a tensor of one element, or None.
        what: it is, for the message.
        warn: given one line where it is NaN or infinite.

    Raises:
        UsageError: it is no number, or several.
    """
    found = _unwrapped(value)
    while isinstance(found, list) and len(found) == 1:
        (found,) = found
    if isinstance(found, list):
        shape = "x".join(map(str, _shape(found)))
        raise UsageError(
            f"{what}: one number is expected, got {shape} of them",
            "log each under a name of its own, or save_json_artifact the whole",
        )
    if found is None:
        return None
    if not isinstance(found, int | float):
        raise UsageError(f"{what}: a number is expected, got {_kind(value)}")
    return _finite(found, what, warn)


def document(value: Any, what: str, warn: Warn) -> Any:
    """The same as JSON can hold it: mappings with text for keys, lists, text, finite numbers, null.

    Raises:
        UsageError: something in it is none of these; the way to it is named.
    """
    found = _unwrapped(value)
    if isinstance(found, Mapping):
        return {str(key): document(its, f"{what}.{key}", warn) for key, its in found.items()}
    if isinstance(found, list | tuple | set | frozenset):
        return [document(its, f"{what}[{place}]", warn) for place, its in enumerate(found)]
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, int | float):
        return _finite(found, what, warn)
    raise UsageError(f"{what}: JSON cannot hold {_kind(value)}", "make it numbers, text, lists or mappings")


def _unwrapped(value: Any) -> Any:
    """A tensor or an array as Python's own numbers or nested lists of them; anything else as it is."""
    for step in ("detach", "cpu", "tolist"):  # a tensor that requires grad, on a GPU, of bfloat16
        if callable(way := getattr(value, step, None)):
            value = way()
    if isinstance(value, numbers.Integral):  # bool as well
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def _finite(value: int | float, what: str, warn: Warn) -> int | float | None:
    if math.isfinite(value):
        return value
    warn(f"{what} is {value}; it is kept as null")
    return None


def _shape(found: list[Any]) -> tuple[int, ...]:
    inner = found[0] if found else None
    return (len(found), *(_shape(inner) if isinstance(inner, list) else ()))


def _kind(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"
