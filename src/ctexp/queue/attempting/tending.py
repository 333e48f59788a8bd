"""Whether a job's program has to stop: it says nothing, takes too long, or is not wanted any more."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from ctexp.core import clock
from ctexp.core.errors import DataError
from ctexp.queue.attempting.output import MOST_BYTES, Output
from ctexp.queue.ending import Stop
from ctexp.queue.journal import Journal

_STOOD_STILL = 10.0
"""Seconds between two looks, from which on the looker itself was stopped, and the program with it perhaps."""


class Tending:
    """Looks several times a second; it begins with the program.

    Args:
        output: what the program writes, one of two signs of life.
        beat: the file whose time of change is the other.
        silence: seconds without either, after which it hangs.
        limit: seconds it may take; None for as long as it likes.
        spent: of the job's limit, by earlier attempts at the same run.
        seconds_left: of the window; None where there is none.
        cancelled: whether somebody has dropped the job.
    """

    def __init__(
        self,
        output: Output,
        beat: Path,
        *,
        silence: float,
        limit: float | None,
        spent: float = 0.0,
        seconds_left: Callable[[], float | None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._output, self._beat = output, beat
        self._silence, self._limit, self._spent = silence, limit, spent
        self._seconds_left, self._cancelled = seconds_left, cancelled
        # Not the calendar: neither a clock that is set nor a suspended machine makes a program late.
        self._began = self._alive = self._looked = time.monotonic()
        self._life = self._signs()

    def look(self) -> tuple[Stop, str] | None:
        """Why it has to stop, in a word and for people; None where it goes on."""
        now, signs = time.monotonic(), self._signs()
        if (gap := now - self._looked) > _STOOD_STILL:
            self._began, self._alive = self._began + gap, self._alive + gap
        self._looked = now
        if signs != self._life:
            self._life, self._alive = signs, now
        left = self._seconds_left()
        if self._cancelled():
            return "cancelled", "dropped by hand"
        if left is not None and left <= 0:
            return "window", "the window closes"
        if self._limit is not None and now - self._began > self._limit:
            before = f", {clock.duration(self._spent)} of it in earlier attempts" if self._spent else ""
            return "limit", f"its limit of {clock.duration(self._limit + self._spent)} is over{before}"
        if now - self._alive > self._silence:
            return "hung", f"no sign of life for {clock.duration(self._silence)}"
        if signs[0] > MOST_BYTES:
            return "flood", f"it has written more than {MOST_BYTES >> 20} MiB of output"
        return None

    def _signs(self) -> tuple[int, int]:
        beat = 0
        with contextlib.suppress(OSError):
            beat = self._beat.stat().st_mtime_ns
        return self._output.size, beat


class Cancelled:
    """Whether a job has been dropped since it began; the journal is read when it has grown."""

    def __init__(self, journal: Journal, job: str, since: int) -> None:
        self._journal, self._job, self._since = journal, job, since
        self._size, self._told = -1, False

    def __call__(self) -> bool:
        """True from then on."""
        # A journal that cannot be read now drops nobody.
        with contextlib.suppress(OSError, DataError):
            size = self._journal.path.stat().st_size
            if size != self._size:
                self._size = size
                since = self._journal.read()[self._since :]
                self._told = any(one["kind"] == "cancel" and one.get("job") == self._job for one in since)
        return self._told
