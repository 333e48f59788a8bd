"""Durations as people write them: a number and its unit, never a bare number."""

import re

from ctexp.core.errors import UsageError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([smhd])")
_WHOLE = re.compile(rf"{_PART.pattern}(?: ?{_PART.pattern})*")
_MOST = 366 * UNITS["d"]
_HINT = "write a number with its unit: 30s, 90m, 8h, 2d or 1h30m"


def seconds(said: str) -> float:
    """How long `8h`, `90m`, `30s`, `2d` or `1h30m` is; a space may stand between numbers and units.

    Raises:
        UsageError: it is no duration; a bare number is none, since nobody knows whether minutes are meant.
    """
    text = said.strip().lower()
    parts = _PART.findall(text) if _WHOLE.fullmatch(text) else []
    units = [unit for _, unit in parts]
    # Each unit at most once, the longer first: `30m2h` is more likely a slip than a duration.
    if not parts or units != sorted(set(units), key=lambda unit: -UNITS[unit]):
        problem = f"{said!r} has no unit" if re.fullmatch(r"[0-9.]+", text) else f"{said!r} is no duration"
        raise UsageError(problem, _HINT)
    found = sum(float(number) * UNITS[unit] for number, unit in parts)
    if found > _MOST:
        raise UsageError(f"{said!r} is a longer duration than a year", _HINT)
    return found
