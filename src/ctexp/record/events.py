"""Structured events of a run, one JSON object a line: what happened, when, and in which order."""

import json
import math
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from ctexp.core import clock, files
from ctexp.core.errors import DataError

_OURS = {"seq", "time", "kind"}


class Events(NamedTuple):
    """What an event file holds.

    Attributes:
        events: the readable ones, in the order they were written.
        problems: one line for each that is not, for example the last one of a machine that lost power.
    """

    events: list[dict[str, Any]]
    problems: list[str]


class EventLog:
    """Appends events to `events.jsonl`; a later attempt goes on counting where the last one ended.

    Order is told by `seq`, since clocks get set. A line that was torn by a crash is ended, never overwritten.

    Args:
        path: the file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seq = max((event["seq"] for event in read(path).events), default=0)
        end_last_line(path)

    def write(self, kind: str, /, **fields: Any) -> None:
        """Append one event, with its number and UTC time.

        Args:
            kind: what happened, for example `checkpoint`.
            fields: JSON values, and anything else by its text; NaN and infinities become text too.

        Raises:
            StorageError: the disk is full or the file cannot be written.
            ValueError: a field is called `seq`, `time` or `kind`.
        """
        if taken := _OURS & fields.keys():
            raise ValueError(f"an event's own fields cannot be called {', '.join(sorted(taken))}")
        with self._lock:
            self._seq += 1
            event = {"seq": self._seq, "time": clock.iso(clock.now()), "kind": kind} | fields
            files.append_line(self.path, json.dumps(_plain(event), allow_nan=False, default=str))


def read(path: Path) -> Events:
    """Read the events back; what is torn or damaged is told apart, and a missing file holds none.

    Raises:
        DataError: the file is there but cannot be read.
    """
    try:
        lines = files.read_regular(path).split(b"\n")
    except FileNotFoundError:
        return Events([], [])
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    events: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        event = _event(line)
        if event is not None:
            events.append(event)
        else:
            what = "is torn" if number == len(lines) else "cannot be read"
            problems.append(f"{path}: line {number} {what}: {line[:40]!r}")
    return Events(events, problems)


def end_last_line(path: Path) -> None:
    """Make the next line of a file begin as a line of its own, whatever a crash left at the end."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with files.storage_errors(path), path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


def _event(line: bytes) -> dict[str, Any] | None:
    """One event, or None where the line is not one."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(event, dict) and isinstance(event.get("seq"), int) and event.keys() >= _OURS
    return event if whole else None


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are written as the text a person would read."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
