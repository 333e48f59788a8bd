"""The words after a command: `model=resnet50 data.batch_size=32 +run.tags=[a,b] ~experiment`.

Hydra's grammar reads them, so that quoting and lists mean what they mean elsewhere. What Hydra would do
besides is refused: sweeps, interpolations (one can copy a secret out of the environment into a saved
configuration), its own settings, and one key given twice.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ctexp.config.keys import EXPERIMENT, GROUPS, is_variant_name, keys, nearest_key

if TYPE_CHECKING:
    from hydra.core.override_parser.overrides_parser import OverridesParser

MAX_LENGTH = 4096
"""Longest override in characters; the grammar's parser takes its time over longer ones."""
MAX_BRACKETS = 100
"""Most opening brackets in an override; the grammar's parser calls itself for each."""

_SHAPE = re.compile(r"(\+\+|\+|~)?(?P<key>[A-Za-z_][\w./@-]*)=(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class Override:
    """One thing the command line says.

    Attributes:
        key: a group (`model`), or a dotted key (`data.batch_size`).
        value: plain: None, bool, int, float, str, list, dict.
        text: as it was typed.
    """

    key: str
    value: Any
    text: str

    @property
    def chooses_a_group(self) -> bool:
        """Whether it names a file rather than a value."""
        return self.key in GROUPS or self.key == EXPERIMENT


def parse(
    texts: Sequence[str], read: "Callable[[str], Override | str] | None" = None
) -> tuple[list[Override], list[str]]:
    """Read overrides; `key=value`, `+key=value` and `++key=value` are the same.

    Args:
        texts: as typed.
        read: what reads one, where those read before are kept; None for `parse_one`.

    Returns:
        Those that can be used, and a line for each problem with the others.
    """
    found: list[Override] = []
    problems: list[str] = []
    for text in texts:
        override = (read or parse_one)(text)
        if isinstance(override, str):
            problems.append(override)
        else:
            found.append(override)
    clashes = list(_clashes(found))
    problems += [
        f"{min(one.key, other.key, key=len)}: set twice, by {shlex.quote(one.text)} and "
        f"{shlex.quote(other.text)}; keep one"
        for one, other in clashes
    ]
    clashing = {override.text for pair in clashes for override in pair}
    return [override for override in found if override.text not in clashing], problems


def quoted(key: str, value: str) -> str:
    """The override that gives `key` the text `value` whatever is in it, ready to paste into a shell."""
    return shlex.quote(assignment(key, value))


def assignment(key: str, value: str) -> str:
    """The same as one word of a program's arguments."""
    escaped = re.sub(r'(\\*)(")', r"\1\1\\\2", value)
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f'{key}="{escaped}"'


def parse_one(text: str) -> Override | str:
    """The override, or what is wrong with it."""
    shown = shlex.quote(text if len(text) <= 80 else text[:77] + "...")
    if len(text) > MAX_LENGTH:
        return f"{shown}: {len(text)} characters, more than the {MAX_LENGTH} an override may have"
    if not text.isprintable() and re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
        return f"{text!r}: holds control characters or is not UTF-8"
    if "${" in text:
        return f"{shown}: interpolations (${{...}}) are not allowed; write the value itself"
    if text.count("[") + text.count("{") + text.count("(") > MAX_BRACKETS:
        return f"{shown}: more than {MAX_BRACKETS} brackets"

    from hydra.errors import HydraException

    try:
        parsed = _parser().parse_override(text)
        if not parsed.is_sweep_override():
            value = parsed.value()
    except (HydraException, ValueError, OverflowError, RecursionError):
        return _unreadable(text, shown)
    key = parsed.key_or_group
    if not key:
        return _unreadable(text, shown)
    if re.match(r"hydra($|[./])", key):
        return f"{shown}: Hydra's own settings have no effect here; run directories are set by paths.runs"
    if parsed.package is not None or "/" in key:
        return f"{shown}: keys are joined by dots, without '/' and '@'"
    if parsed.is_delete():
        return Override(key, None, text) if key == EXPERIMENT else _undeletable(key, shown)
    if parsed.is_sweep_override():
        return _sweep(text, key, shown)
    if not _is_plain(value):
        return f"{shown}: keys inside {{}} must be text"
    return _checked(Override(key, value, text))


@cache
def _parser() -> "OverridesParser":
    """The grammar's parser, which takes as long to make as to read a word."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create()


def _checked(override: Override) -> Override | str:
    """The override if its key exists and may be set."""
    key = override.key
    if override.chooses_a_group:
        return override
    if key not in keys():
        return f"{key}: unknown key; {nearest_key(key)}"
    if is_variant_name(key):
        group = key.partition(".")[0]
        return f"{key}: comes with the choice of {group}; write {group}={override.value}"
    return override


def _is_plain(value: Any) -> bool:
    """Whether a value could stand in a YAML file; whether it fits its key is for the schema to say."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_plain(inner) for inner in value)
    return value is None or isinstance(value, bool | int | float | str)


def _unreadable(text: str, shown: str) -> str:
    """What is wrong with a text that the grammar does not take; most often it lacks quotes."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return f"{shown}: cannot be read; an override is key=value"
    key = shape["key"]
    if key in GROUPS or key == EXPERIMENT:
        return f"{shown}: the value cannot be read; {key} takes the name of a file in conf/{key}"
    if key not in keys():
        return f"{key}: unknown key; {nearest_key(key)}"
    if keys()[key].kind != "text":
        return f"{shown}: the value cannot be read; expected {keys()[key].expected}"
    return (
        f"{shown}: the value cannot be read; text with '=', quotes, brackets or commas is quoted: "
        f"{quoted(key, shape['value'])}"
    )


def _sweep(text: str, key: str, shown: str) -> str:
    """One line that says how to write what was probably meant."""
    value = text.partition("=")[2]
    wanted = keys().get(key)
    instead = ""
    if wanted is not None and wanted.kind == "text":
        instead = f"; text with commas is quoted: {quoted(key, value)}"
    elif wanted is not None and wanted.kind == "list":
        instead = f"; a list is {shlex.quote(f'{key}=[{value}]')}"
    return f"{shown}: one run takes one value{instead}"


def _undeletable(key: str, shown: str) -> str:
    if key in GROUPS:
        none = f"; for none write {key}=none" if key in ("logger", "augment", "features") else ""
        return f"{shown}: {key} cannot be left out{none}"
    if key not in keys():
        return f"{key}: unknown key; {nearest_key(key)}"
    if keys()[key].nullable:
        return f"{shown}: {key} cannot be left out; write {key}=null"
    return f"{shown}: {key} cannot be left out, it is {keys()[key].expected}"


def _clashes(found: Sequence[Override]) -> Iterator[tuple[Override, Override]]:
    """Keys said twice, and keys said together with one they are part of: which one was meant?"""
    for one, other in combinations(found, 2):
        outer, inner = sorted((one, other), key=lambda override: len(override.key))
        inside = inner.key.startswith(f"{outer.key}.") and not outer.chooses_a_group
        if one.key == other.key or inside:
            yield one, other
