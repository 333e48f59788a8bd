"""What a program writes into a project elsewhere goes back as it comes, but for what is of there alone."""

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ctexp.core import screen
from ctexp.core.errors import StorageError
from ctexp.executors.storage import Place, Sent

_SEND_SECONDS = 3.0

_PATIENCE_SECONDS = 300.0
"""For a storage that cannot be written when the work is done."""

_LEFT_THERE = (Path(".git"), Path("data"), Path("runs") / "mlflow-artifacts")
"""Folders of a project of which nothing goes back."""

_OF_ALL_RUNS = Path("runs")
"""A folder of which nothing goes back but what its folders hold: files in it speak of all runs there are."""


class Written:
    """Files of a project that are new or have changed since this was made."""

    def __init__(self, place: Place, name: str, root: Path) -> None:
        self._root = root
        self._sent = Sent(place, name, root)
        self._first = dict(_listed(root))
        self._due = time.monotonic() + _SEND_SECONDS
        self._told = False

    def send_in_time(self) -> None:
        """Send what is new, unless that was done a moment ago. Where it cannot be done, that is told once."""
        if time.monotonic() < self._due:
            return
        try:
            self._send()
        except StorageError as error:
            if not self._told:
                screen.warn(f"{error}; tried again until the work is done")
            self._told = True
        self._due = time.monotonic() + _SEND_SECONDS

    def send_the_last(self) -> None:
        """Send all of it.

        Raises:
            StorageError: the place could not be written for minutes.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._send()
            except StorageError:
                if time.monotonic() >= end:
                    raise
                time.sleep(_SEND_SECONDS)
            else:
                return

    def _send(self) -> None:
        changed = [path for path, about in _listed(self._root) if self._first.get(path) != about]
        gone = sorted(path for path in self._first if not (self._root / path).exists())
        self._sent.send(changed, gone)


def _listed(root: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every file that may go back, with what changes when it does."""
    for place, below, found in os.walk(root):
        folder = Path(place).relative_to(root)
        below[:] = [name for name in below if name != "__pycache__" and folder / name not in _LEFT_THERE]
        for name in found if folder != _OF_ALL_RUNS else ():
            path = root / folder / name
            if name == "lock" or name.startswith(".") or name.endswith(".lock"):
                continue
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    yield path.relative_to(root).as_posix(), (status.st_size, status.st_mtime_ns)
