"""Amounts of memory and disk as people write them: a number and its unit."""

import re

from ctexp.core.errors import UsageError

PATTERN = r"[0-9]{1,9}(\.[0-9]{1,9})? ?(MB|GB|TB|MiB|GiB|TiB)"
"""Units of a thousand, or of 1024 (`GiB`)."""


def size_bytes(said: str) -> int:
    """How many bytes `20GB` or `1.5GiB` is.

    Raises:
        UsageError: it is no size; a bare number is none.
    """
    if not re.fullmatch(PATTERN, said):
        raise UsageError(f"{said!r} is no size", "write a number with its unit: 500MB, 16GB or 1.5GiB")
    binary = said.endswith("iB")
    number, unit = (said[:-3], said[-3]) if binary else (said[:-2], said[-2])
    factor = float(1024 if binary else 1000) ** ("MGT".index(unit) + 2)
    return round(float(number) * factor)
