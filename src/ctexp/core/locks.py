"""Locks the kernel keeps: they end with the process that holds them, however it ends."""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from ctexp.core import clock
from ctexp.core.errors import Busy
from ctexp.core.files import storage_errors


class FileLock:
    """An exclusive, non-blocking lock on a file; the file's text only says who holds it.

    What the file says is a courtesy to people and never believed: a stale file without the kernel's lock
    stops nobody.

    Args:
        path: the lock file, made when missing and left in place.
        what: what it guards, for the message.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self.what = what
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            Busy: another process has it; the message names the holder.
            StorageError: the disk is full, or the folder cannot be written.
        """
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not _taken_soon(descriptor):
            os.close(descriptor)
            raise Busy(f"{self.what} is in use by {self.holder()}", "wait for it to end, or stop it")
        self._descriptor = descriptor
        about = {"pid": os.getpid(), "command": " ".join(sys.argv), "since": clock.iso(clock.now())}
        try:
            with storage_errors(self.path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(about).encode(), 0)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        """The descriptor that has the lock: a child that inherits it keeps the lock as long as it lives."""
        if self._descriptor is None:
            raise ValueError(f"{self.what}: the lock is not held")
        return self._descriptor

    def holder(self) -> str:
        """Who says to hold the lock: `pid 123 (inv train …) since 2026-…`."""
        try:
            about = json.loads(self.path.read_text())
            said = f"pid {about['pid']} ({about['command']}) since {about['since']}"
            return said if _lives(about["pid"]) else f"what {said} had started; itself it has ended"
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return "another process"

    def is_held(self) -> bool:
        """Whether any process holds the lock now."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _lives(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _taken_soon(descriptor: int) -> bool:
    """Try for a fifth of a second, since `is_held` has to take the lock for an instant to ask."""
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False
