"""Locks the kernel keeps: they end with the process that holds them, however it ends."""

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ctexp.core import clock
from ctexp.core.errors import Busy
from ctexp.core.files import read_regular, storage_errors

HELD = "CTEXP_HELD_LOCKS"
"""Environment variable: descriptors of locks that a parent holds and has passed on, `7,8`."""


class FileLock:
    """An exclusive lock on a file; the file's text only says who holds it.

    A process whose parent holds the lock, and has passed its descriptor on (see `passed_on`), has it already.

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

    def acquire(self, patience: float = 0.2) -> None:
        """Take the lock.

        Args:
            patience: seconds to try; by default a moment, since `is_held` takes the lock to ask.

        Raises:
            Busy: another process has it; the message names the holder.
            StorageError: the disk is full, or the folder cannot be written.
        """
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if (inherited := _inherited(descriptor)) is not None:
            os.close(descriptor)
            self._descriptor = inherited
            return
        if not _taken_within(descriptor, patience):
            os.close(descriptor)
            raise Busy(f"{self.what} is in use by {self.holder()}", "wait for it to end, or stop it")
        self._descriptor = descriptor
        try:
            self.sign(" ".join(sys.argv))
        except BaseException:
            self.release()
            raise

    def sign(self, command: str) -> None:
        """Say that this process holds the lock, for others who want it.

        Args:
            command: what it is doing, as a person would type it.
        """
        about = {"pid": os.getpid(), "command": command, "since": clock.iso(clock.now())}
        with storage_errors(self.path):
            os.ftruncate(self.fileno(), 0)
            os.pwrite(self.fileno(), json.dumps(about).encode(), 0)

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
            about = json.loads(read_regular(self.path))
            said, since = f"pid {about['pid']} ({about['command']})", f"since {about['since']}"
            if _lives(about["pid"]):
                return f"{said} {since}"
            left = " and ".join(f"pid {pid}" for pid in _with_open(self.path))
            who = f"{left}, which" if left else "a process that"
            return f"{who} {said} had started before it ended, {since}"
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return "another process"

    def is_held(self) -> bool:
        """Whether any process holds the lock now."""
        return is_held(self.path)

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_held(path: Path | bytes, folder: int | None = None) -> bool:
    """Whether any process holds the lock on a file now.

    Args:
        path: the file, which need not be there.
        folder: the descriptor of the one that `path` hangs from: half the time where thousands are asked.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def passed_on(*locks: FileLock, environment: Mapping[str, str]) -> tuple[dict[str, str], list[int]]:
    """What makes a child hold locks too, as long as it lives: its environment, and what it must inherit.

    Locks that this process got from its own parent are passed on as well.

    Args:
        locks: held.
        environment: the child's, otherwise.
    """
    descriptors = sorted({*_given(environment), *(lock.fileno() for lock in locks)})
    return {**environment, HELD: ",".join(map(str, descriptors))}, descriptors


def _given(environment: Mapping[str, str]) -> list[int]:
    """The descriptors that the parent says to have passed on and that are open here."""
    found = []
    for word in environment.get(HELD, "").split(","):
        if word.isdecimal():
            try:
                os.fstat(int(word))
            except OSError:
                continue
            found.append(int(word))
    return found


def _inherited(descriptor: int) -> int | None:
    """A copy of the descriptor by which a parent holds the lock on this very file; None where none does."""
    file = os.fstat(descriptor)
    for given in _given(os.environ):
        there = os.fstat(given)
        if (there.st_dev, there.st_ino) != (file.st_dev, file.st_ino):
            continue
        try:
            # Through the parent's descriptor this succeeds although the lock is held: it is the same lock.
            fcntl.flock(given, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return os.dup(given)
    return None


def _lives(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _with_open(path: Path) -> list[int]:
    """The processes of this machine that have a file open, as far as they let themselves be looked at."""
    file, found = path.resolve(), set()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # somebody else's, or it has just ended
            if process.name.isdecimal() and any(one.readlink() == file for one in (process / "fd").iterdir()):
                found.add(int(process.name))
    return sorted(found - {os.getpid()})


def _taken_within(descriptor: int, seconds: float) -> bool:
    """Try again and again, more and more seldom."""
    end, pause = time.monotonic() + seconds, 0.001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        else:
            return True
