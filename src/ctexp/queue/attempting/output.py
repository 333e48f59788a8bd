"""What a program of the night writes: straight into a file of its own, and from there to whoever looks.

The program has the file itself, so that nothing it says is lost and nothing it does waits, whatever becomes
of the runner or the screen. The screen gets what it takes: one that is gone, stopped or too slow is left
behind, never waited for.
"""

import array
import contextlib
import fcntl
import os
import select
import stat
import sys
import termios
import time
from pathlib import Path
from typing import Self

from ctexp.core.files import storage_errors

MOST_BYTES = 1 << 28
"""Of one program: more is a flood, which would fill the disk before the morning."""

_PIECE = 4096
"""Bytes at a time: so many a pipe with room takes without waiting (PIPE_BUF)."""

_MOST_UNREAD = 4 * _PIECE
"""Of a pipe: the rest of its room is left to others, who would have to wait for it."""

_LAST_SECONDS = 2.0  # a slow screen gets so long to show the end


class Output:
    """The log of one program, shown on stdout as it grows.

    Args:
        log: made when missing; what it holds already is not shown again.
        shown: whether the screen gets what the program says.

    Raises:
        StorageError: the log cannot be made.
    """

    def __init__(self, log: Path, *, shown: bool = True) -> None:
        with storage_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            self._log = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._is_shown, self._shown = shown, self.size

    @property
    def descriptor(self) -> int:
        """What the program writes to."""
        return self._log

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return os.fstat(self._log).st_size

    def show(self, seconds: float = 0.1) -> None:
        """Show what is new; what is not taken now, or takes longer, is for the next time."""
        screen, until = sys.stdout.fileno(), time.monotonic() + seconds
        while self._is_behind() and time.monotonic() < until and _takes(screen):
            piece = os.pread(self._log, _PIECE, self._shown)
            try:
                self._shown += os.write(screen, piece)
            except OSError:  # nobody is there any more
                return

    def show_rest(self) -> None:
        """Show the end, as far as it is taken."""
        until = time.monotonic() + _LAST_SECONDS
        while self._is_behind() and time.monotonic() < until:
            self.show(_LAST_SECONDS)
            time.sleep(0.01)
        self._shown = self.size

    def _is_behind(self) -> bool:
        return self._is_shown and self._shown < self.size

    def say(self, line: str) -> None:
        """A line of the runner's own, on stderr."""
        screen = sys.stderr.fileno()
        if _takes(screen):
            with contextlib.suppress(OSError):
                os.write(screen, f"{line}\n".encode("utf-8", "backslashreplace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._log)


def _takes(screen: int) -> bool:
    """Whether a little can be written without waiting."""
    if stat.S_ISFIFO(os.fstat(screen).st_mode):
        unread = array.array("i", [0])
        fcntl.ioctl(screen, termios.FIONREAD, unread)
        return unread[0] < _MOST_UNREAD
    ready = select.poll()
    ready.register(screen, select.POLLOUT)
    return bool(ready.poll(0))
