"""The values of a trial as overrides, and which of a person's overrides all trials have in common."""

import re
from collections.abc import Sequence

from ctexp.sweeps.space import Value, Values

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_SOMETHING_ELSE = {"true", "false", "null", "nan", "inf"}
_KEY = re.compile(r"(?:\+\+?|~)?([A-Za-z_][\w.]*)(?:=|$)")

_EACH_ITS_OWN = ("run.name", "seed")
"""What the sweep says itself of each of its trainings."""


def words_of(values: Values) -> tuple[str, ...]:
    """`{"optimizer.lr": 0.001, "model": "resnet18"}` as `optimizer.lr=0.001`, `model=resnet18`.

    Each is read back as the same value by Hydra's grammar, whatever is in it.
    """
    return tuple(f"{key}={written(value)}" for key, value in values.items())


def key_of(word: str) -> str:
    """The key that an override sets; empty for what is no override."""
    found = _KEY.match(word)
    return found[1] if found else ""


def common(overrides: Sequence[str]) -> tuple[str, ...]:
    """Those that every training of a sweep has: all but its name and seed, which each has of its own."""
    return tuple(word for word in overrides if key_of(word) not in _EACH_ITS_OWN)


def written(value: Value) -> str:
    """A value as the right side of an override."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _SOMETHING_ELSE:
        return value
    # Hydra takes a backslash for itself unless a quote, or the end, follows.
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', value)
    closed = re.sub(r"(\\+)\Z", r"\1\1", escaped)
    return f'"{closed}"'
