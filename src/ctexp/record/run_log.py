"""`train.log`: everything a run said, each line with its UTC time.

What Python writes to stdout and stderr is copied line by line: prints, warnings, and log messages that reach
the screen. Progress bars leave only what stays on the screen (see `settled`). The streams themselves answer
as before: a terminal is still one. What a library writes past Python, straight to the file descriptors, is
not copied.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, TextIO, cast

from ctexp.core import clock
from ctexp.core.errors import StorageError
from ctexp.core.files import storage_errors
from ctexp.record.events import end_last_line
from ctexp.record.settled import SettledLines


class RunLog:
    """Copies stdout and stderr to a log file while it is entered; a later attempt adds to the same file.

    A log that cannot be written ends no run: the first failure is told once on stderr and kept in `problem`.

    Args:
        path: the log file.

    Attributes:
        problem: why the log is incomplete; None while it is whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._descriptor: int | None = None
        self._replaced: list[tuple[str, TextIO, _Copied]] = []
        # A signal handler may print while the same thread is in the middle of a line.
        self._lock = threading.RLock()

    def note(self, text: str) -> None:
        """Write to the log alone, for example a traceback that is of no use on the screen."""
        self.write_lines(text.splitlines())

    def write_lines(self, lines: list[str]) -> None:
        """Add whole lines with the time of now; harmless once the log is closed."""
        if not lines:
            return
        time = clock.iso(clock.now())
        content = "".join(f"{time} {line.rstrip()}".rstrip() + "\n" for line in lines)
        with self._lock:
            if self._descriptor is None or self.problem:
                return
            try:
                with storage_errors(self.path):
                    os.write(self._descriptor, content.encode("utf-8", "backslashreplace"))
            except (OSError, StorageError) as error:
                self.problem = f"{self.path.name} is incomplete: {error}"
                print(f"warning: {self.problem}", file=sys.stderr)

    def __enter__(self) -> Self:
        with storage_errors(self.path):
            end_last_line(self.path)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            # Nobody waits for the reader of a pipe.
            self._descriptor = os.open(self.path, flags | os.O_NONBLOCK, 0o666)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            copied = _Copied(stream, self, self._lock)
            self._replaced.append((name, stream, copied))
            setattr(sys, name, copied)
            _redirect_handlers(stream, cast(TextIO, copied))
        return self

    def __exit__(self, *_: object) -> None:
        for name, stream, copied in reversed(self._replaced):
            copied.finish()
            _redirect_handlers(cast(TextIO, copied), stream)
            # Whoever has put another stream over ours keeps it; ours goes on as a plain passage.
            if getattr(sys, name) is copied:
                setattr(sys, name, stream)
        self._replaced.clear()
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


class _Copied:
    """A stream that behaves as the one it stands for, and shows the log what passes."""

    def __init__(self, stream: TextIO, log: RunLog, lock: threading.RLock) -> None:
        self._stream = stream
        self._log = log
        self._lock = lock
        self._lines = SettledLines()

    def write(self, text: str) -> int:
        written = self._stream.write(text)
        with self._lock:
            self._log.write_lines(self._lines.feed(text))
        return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def finish(self) -> None:
        with self._lock:
            self._log.write_lines(self._lines.rest())

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _redirect_handlers(old: TextIO, new: TextIO) -> None:
    """Let log handlers that hold one stream, as they do from their making on, write to another."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                handler.setStream(new)
