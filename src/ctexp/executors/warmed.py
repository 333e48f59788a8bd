"""Trainings by a warm trainer, whose imports are done; a fresh process where it says no."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.executors.trainers import Job, Trainer
from ctexp.warm import client

_PATIENCE = 20.0
"""Seconds. Meanwhile there is no sign of life; an agent without one for thirty is taken for dead."""


class Warm:
    """Has a parent fork a child for each training, which dies with this process.

    Args:
        socket: the parent's.
        root: the project's folder.
        fresh: carries out what the parent refuses.
        tell: given the line why, once for each reason.
        patience: seconds that the parent may need for its imports, or for others who came first.
    """

    def __init__(
        self,
        socket: Path,
        root: Path,
        fresh: Trainer,
        tell: Callable[[str], None],
        patience: float = _PATIENCE,
    ) -> None:
        self._socket = socket
        self._root = root
        self._fresh = fresh
        self._tell = tell
        self._patience = patience
        self._told: set[str] = set()

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], output: int
    ) -> Job:
        """Begin one; see `Trainer`."""
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return client.start(
                self._socket,
                [client.program(), *words],
                environment=environment,
                folder=self._root,
                streams=(nothing, output, output),
                descriptors=descriptors,
                patience=self._patience,
            )
        except client.Refused as refused:
            if (why := str(refused)) not in self._told:
                self._told.add(why)
                self._tell(f"in a fresh process: {why}")
            return self._fresh.start(words, environment, descriptors, output)
        except ChildProcessError:  # it may have begun: whoever goes on with the trial finds out
            return _Lost()
        finally:
            os.close(nothing)


@dataclass(frozen=True)
class _Lost:
    """A training whose parent died when it was to begin."""

    pid: int = 0

    def poll(self) -> int | None:
        return -signal.SIGKILL

    def send_signal(self, signum: int) -> None:
        del signum
