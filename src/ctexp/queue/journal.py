"""The journal of a queue: one JSON object a line, appended and synced before anything is done about it.

Several processes write it (the jobs of an array, a person who cancels): each append holds the file's own
lock, cuts off a tail that a crash has torn, keeping a copy, and takes the next number. Order is told by
`seq`; clocks get set.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctexp.core import clock, files
from ctexp.core.errors import DataError

Event = dict[str, Any]
"""At least `seq`, `time` (UTC), `uptime` (seconds since this machine booted) and `kind`."""

Check = Callable[[Sequence[Event]], None]


class Damaged(DataError):
    """A line in the middle cannot be read: what the queue had done is not known."""


class Journal:
    """Appends and reads.

    Args:
        path: the file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
        with files.storage_errors(self.path), self._locked() as descriptor:
            so_far, whole = _parse(os.pread(descriptor, os.fstat(descriptor).st_size, 0), self.path)
            self._cut(descriptor, whole)
            if check is not None:
                check(so_far)
            number = so_far[-1]["seq"] + 1 if so_far else 1
            event = {
                "seq": number,
                "time": clock.iso(clock.now()),
                "uptime": uptime(),
                "kind": kind,
                **fields,
            }
            line = (
                json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
                + b"\n"
            )
            try:
                left = line
                while left:
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, whole)
                raise
        return event

    def read(self) -> list[Event]:
        """Every event; a torn tail is passed over, a missing file holds none.

        Raises:
            Damaged: see there.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror})") from error
        return _parse(content, self.path)[0]

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _cut(self, descriptor: int, whole: int) -> None:
        """Cut off what a crash has left of a line, and keep it beside."""
        size = os.fstat(descriptor).st_size
        if size > whole:
            copy = self.path.with_name(f"{self.path.name}.torn-{time.time_ns()}")
            copy.write_bytes(os.pread(descriptor, size - whole, whole))
            os.ftruncate(descriptor, whole)


def uptime() -> float:
    """Seconds since this machine booted, suspended ones included; nobody sets that clock."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)


def _parse(content: bytes, path: Path) -> tuple[list[Event], int]:
    """The events, and how many bytes from the beginning are whole lines."""
    events: list[Event] = []
    whole = at = 0
    bad: int | None = None
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        at += len(line) + 1
        event = _event(line)
        if event is None:
            bad = bad or number
        elif bad is not None:
            raise Damaged(
                f"{path}: line {bad} cannot be read, and others follow it",
                "start the script once more: it puts the file aside and rebuilds what it can from the runs",
            )
        else:
            events.append(event)
            whole = at
    return events, whole


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return (
        event if isinstance(event, dict) and isinstance(event.get("seq"), int) and "kind" in event else None
    )
