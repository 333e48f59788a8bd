"""YAML as people read it: one document, no surprises, within limits.

PyYAML follows YAML 1.1, where `no` is false, `012` is ten, `1:30` is ninety and `1e-3` is text, takes the
last of two equal keys without a word, and lets 400 bytes of aliases grow into gigabytes. Here a document is
built from the parser's events: plain scalars follow YAML 1.2's core schema (without octal and hexadecimal
numbers, infinities and NaN, which stay text), and keys given twice, anchors, aliases, tags, deep nesting and
large files are errors with path, line and key.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ctexp.core.errors import UsageError
from ctexp.core.files import read_regular

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*|(?=[eE]))|\.[0-9]+)([eE][-+]?[0-9]+)?")


def read_mapping(path: Path, where: str = "") -> dict[str, Any]:
    """Read a file that holds keys and values; an empty one holds none.

    Args:
        path: the file.
        where: what to call it in errors instead of its path.

    Raises:
        UsageError: it cannot be read, breaks a limit, or is not a mapping; every problem with its line.
    """
    where = where or str(path)
    try:
        content = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UsageError(f"{where}: cannot be read ({error.strerror})") from error
    return parse_mapping(content, where)[0]


def parse_mapping(content: bytes, where: str) -> tuple[dict[str, Any], "Lines"]:
    """Keys and values, and the lines they stand on; nothing at all is an empty mapping.

    Args:
        content: UTF-8 text.
        where: what to call it in errors.

    Raises:
        UsageError: it breaks a limit, or is not a mapping; every problem with its line.
    """
    document, lines = _parsed(content, where)
    if document is None:
        return {}, lines
    if not isinstance(document, dict):
        got = "a list" if isinstance(document, list) else repr(document)[:80]
        raise UsageError(f"{where}: expected keys and values (key: value), got {got}")
    return document, lines


def parse(content: bytes, where: str) -> Any:
    """The plain value of a YAML document: dict with text keys, list, str, int, float, bool, None.

    Args:
        content: UTF-8 text.
        where: what to call it in errors, usually the path.

    Raises:
        UsageError: it is not YAML, or breaks a limit.
    """
    return _parsed(content, where)[0]


def _parsed(content: bytes, where: str) -> tuple[Any, "Lines"]:
    if len(content) > MAX_BYTES:
        raise UsageError(f"{where}: {len(content)} bytes, more than the {MAX_BYTES} allowed")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 text (byte {error.start})") from error
    builder = _Builder(where, text)
    document = builder.document()
    if builder.problems:
        raise UsageError(builder.problems)
    return document, Lines(builder.lines)


def resolve(text: str) -> Any:
    """What a plain (unquoted) scalar means."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def dump(document: Any) -> str:
    """Write plain values as YAML that `parse`, and any YAML 1.1 reader, reads back the same."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def misread_texts(value: Any, key: str = "") -> Iterator[str]:
    """Texts that would mean something else to OmegaConf: `${...}`, and `???` for a missing value.

    Args:
        value: a plain document.
        key: where it stands.

    Yields:
        A line for each, beginning with its key.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            below = f"{key}.{name}" if key else name
            if "${" in name:
                yield f"{below}: interpolations (${{...}}) are not allowed"
            yield from misread_texts(inner, below)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from misread_texts(inner, f"{key}.{index}")
    elif isinstance(value, str) and "${" in value:
        yield f"{key}: interpolations (${{...}}) are not allowed; write the value itself"
    elif value == "???":
        yield f"{key}: ??? means a missing value; write the value itself"


class Lines:
    """Where in a document its parts stand.

    Args:
        known: line, counted from 1, by path; items of lists are in it by their number as text.
    """

    def __init__(self, known: Mapping[tuple[str, ...], int]) -> None:
        self._known = known

    def of(self, path: Sequence[str | int]) -> int:
        """The line of a key or an item, or of the nearest part around it that is there."""
        parts = tuple(str(part) for part in path)
        inside_out = (parts[:length] for length in range(len(parts), 0, -1))
        return next((self._known[part] for part in inside_out if part in self._known), 1)


def _line(event: yaml.Event) -> int:
    """Where an event begins, counted from 1."""
    return event.start_mark.line + 1 if event.start_mark is not None else 0


class _Builder:
    """Turns events into values, so that every limit holds before anything large exists."""

    def __init__(self, where: str, text: str) -> None:
        self.problems: list[str] = []
        self.lines: dict[tuple[str, ...], int] = {}
        self._where = where
        self._text = text.split("\n")
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def document(self) -> Any:
        value = None
        documents = 0
        try:
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents == 2:
                        self._say(event, (), "a second document begins (---); one file holds one")
                        break
                elif not isinstance(
                    event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent
                ):
                    value = self._value(event, ())
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{min(mark.line + 1, len(self._text))}" if mark else ""
            reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            if mark and "".join(self._text[mark.line : mark.line + 1])[mark.column :].startswith("\t"):
                reason = "tabs cannot indent; use spaces"
            raise UsageError([*self.problems, f"{self._where}{line}: not valid YAML ({reason})"]) from error
        return value

    def _value(self, event: yaml.Event, path: tuple[str, ...]) -> Any:
        if isinstance(event, yaml.AliasEvent):
            self._say(event, path, "aliases (*name) are not allowed; write the value out")
            return None
        if getattr(event, "anchor", None) is not None:
            self._say(event, path, "anchors (&name) are not allowed")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._say(event, path, f"tags ({tag}) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return resolve(event.value) if event.implicit[0] else event.value
        if len(path) >= MAX_DEPTH:
            place = f"{self._where}:{_line(event)}"
            raise UsageError([*self.problems, f"{place}: nested more than {MAX_DEPTH} deep"])
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return self._mapping(path)

    def _list(self, path: tuple[str, ...]) -> list[Any]:
        values: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, str(len(values)))
            self.lines[here] = _line(event)
            values.append(self._value(event, here))
        return values

    def _mapping(self, path: tuple[str, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._say(event, path, "a key must be text")
                self._value(event, (*path, "?"))
                self._value(next(self._events), (*path, "?"))
                continue
            key = event.value
            here = (*path, key)
            if key in values:
                self._say(event, here, f"given twice, first on line {self.lines[here]}")
            self.lines[here] = _line(event)
            values[key] = self._value(next(self._events), here)
        return values

    def _say(self, event: yaml.Event, path: tuple[str, ...], problem: str) -> None:
        key = f" {'.'.join(path)}:" if path else ""
        self.problems.append(f"{self._where}:{_line(event)}:{key} {problem}")


class _Dumper(yaml.SafeDumper):
    """Quotes whatever either version of YAML would take for something else than text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if resolve(text) == text and text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
