"""The journal of a queue: one JSON object a line, appended and synced before anything is done about it.

Several processes write it (the jobs of an array, a person who cancels): each append holds the file's own
lock, cuts off a tail that a crash has torn, keeping a copy, and takes the next number. Order is told by
`seq`; clocks get set.
"""

import fcntl
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ctexp.core import clock, files
from ctexp.core.errors import DataError

Event = dict[str, Any]
"""At least `seq`, `time` (UTC), `uptime` (seconds since the machine booted), `kind`, and `crc` over all."""

Check = Callable[[Sequence[Event]], None]

_SUM = b', "crc": "%08x"}\n'


class Damaged(DataError):
    """A line that others follow is missing or changed: what the queue had done is not known."""


class Journal:
    """Appends and reads; of what it has read before it looks at the last line alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events: list[Event] = []
        self._whole = 0  # bytes that these events take
        self._last = b""

    def append(self, kind: str, /, *, check: Check | None = None, **fields: Any) -> Event:
        """Write one event down, durably.

        Args:
            kind: what happened.
            check: is given the events so far, under the lock; what it raises keeps this one out.
            fields: JSON values.

        Raises:
            StorageError: the disk is full; the journal is as it was.
            Damaged: see there.
        """
        return self.extend([{"kind": kind, **fields}], check=check)[0]

    def extend(self, events: Sequence[Event], *, check: Check | None = None) -> list[Event]:
        """Write several events down, durably; after a crash the first ones of them may be there alone.

        Args:
            events: `kind` and fields of each.
            check: see `append`.

        Raises:
            StorageError: the disk is full; the journal is as it was.
            Damaged: see there.
        """
        with files.storage_errors(self.path), self._locked() as descriptor:
            so_far = self._taken(descriptor)
            self._cut(descriptor)
            if check is not None:
                check(so_far)
            number = so_far[-1]["seq"] + 1 if so_far else 1
            moment = {"time": clock.iso(clock.now()), "uptime": uptime()}
            written = [{"seq": seq, **moment, **event} for seq, event in enumerate(events, number)]
            left = b"".join(map(_line, written))
            try:
                while left:
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, self._whole)
                raise
        return written

    def read(self) -> list[Event]:
        """Every event; a torn tail is passed over, a missing file holds none.

        Raises:
            Damaged: see there.
        """
        with self._opened() as descriptor:
            return [] if descriptor is None else [*self._taken(descriptor)]

    def salvaged(self) -> list[Event]:
        """Every event that can still be read, of a journal however damaged."""
        with self._opened() as descriptor:
            content = b"" if descriptor is None else os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        return [event for line in content.split(b"\n") if (event := _event(line)) is not None]

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        """For reading; None where there is no file."""
        descriptor = None
        try:
            with suppress(FileNotFoundError):  # whatever it is, opening it takes no time
                descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            yield descriptor
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror})") from error
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _taken(self, descriptor: int) -> list[Event]:
        """Take in what is new; all events."""
        size, known = os.fstat(descriptor).st_size, self._whole - len(self._last)
        content = os.pread(descriptor, max(0, size - known), known)
        if not content.startswith(self._last):  # put aside, or a disk was full in the middle of it
            self._events, self._whole, self._last = [], 0, b""
            content = os.pread(descriptor, size, 0)
        new, size = _parse(content[len(self._last) :], len(self._events), self.path)
        whole = content[: len(self._last) + size]
        self._last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
        self._events += new
        self._whole += size
        return self._events

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _cut(self, descriptor: int) -> None:
        """Cut off what a crash has left of a line, and keep it beside."""
        size, whole = os.fstat(descriptor).st_size, self._whole
        if size > whole:
            copy = self.path.with_name(f"{self.path.name}.torn-{time.time_ns()}")
            copy.write_bytes(os.pread(descriptor, size - whole, whole))
            os.ftruncate(descriptor, whole)


def uptime() -> float:
    """Seconds since this machine booted, suspended ones included; nobody sets that clock."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)


def _parse(content: bytes, known: int, path: Path) -> tuple[list[Event], int]:
    """The events of what follows on those that are known, and how many of its bytes are whole lines."""
    events: list[Event] = []
    whole = at = 0
    bad: int | None = None
    for number, line in enumerate(content.split(b"\n")[:-1], start=known + 1):
        at += len(line) + 1
        event = _event(line)
        if event is None:
            bad = bad or number
            continue
        if bad is not None or event["seq"] != known + len(events) + 1:
            raise Damaged(
                f"{path}: line {bad or number} is not as it was written, and others follow it",
                "start the script once more: it puts the file aside and rebuilds what it can from the runs",
            )
        events.append(event)
        whole = at
    return events, whole


def _line(event: Event) -> bytes:
    """A line, whose last key is the checksum of all that stands before it."""
    text = json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    body = text[:-1]
    return body + _SUM % zlib.crc32(body)


def _event(line: bytes) -> Event | None:
    """The event of a line without its end; None for one that is not as it was written."""
    body, mark, _ = line.rpartition(_SUM[:8])
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("seq"), int) or "kind" not in event:
        return None
    return event if mark and line + b"\n" == body + _SUM % zlib.crc32(body) else None
