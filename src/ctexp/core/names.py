"""Identifiers, and the nearest valid name for a misspelt one."""

import difflib
import re
import secrets
from collections.abc import Iterable

from ctexp.core.errors import UsageError

ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What may name a run, a data set, an experiment or a job: safe in paths, shells and trackers alike."""


def check_id(value: str, what: str) -> str:
    """Return `value` if it may be used as an identifier.

    Args:
        value: the name to check.
        what: what it names, for the message, for example ``run.name``.

    Raises:
        UsageError: it holds anything but lower-case letters, digits, ``_`` and ``-``, or is too long.
    """
    if ID_PATTERN.fullmatch(value):
        return value
    raise UsageError(
        f"{what}: {value!r} is not a valid name",
        "use lower-case letters, digits, '_' and '-', at most 64, starting with a letter or digit",
    )


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """`did you mean 'resnet50'?`, or the options when none is near and they are few."""
    options = sorted(set(options))
    swapped = [option for option in options if sorted(option) == sorted(name)]  # `=>` is meant for `>=`
    near = swapped or difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"choose one of: {', '.join(options)}" if 0 < len(options) <= 16 else ""


def short_id() -> str:
    """Six random characters that tell two runs of one second apart."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "".join(secrets.choice(alphabet) for _ in range(6))
