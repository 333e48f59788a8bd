"""What carries out `inv train`: a fresh process for each training."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ctexp.core.parent_death import tied_to_this

_WARM = "CTEXP_WARM"
"""Environment variable that would have `inv train` ask a warm trainer."""


class Job(Protocol):
    """A training under way."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that killed it; None while it runs."""
        ...

    def send_signal(self, signum: int) -> None:
        """Send it a signal; harmless when it has ended."""
        ...


class Trainer(Protocol):
    """Starts trainings, one at a time; each gets SIGTERM when this process dies, or dies with it."""

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], output: int
    ) -> Job:
        """Begin one.

        Args:
            words: of `inv`: `train`, its overrides and flags.
            environment: whole.
            descriptors: that it inherits, under the same numbers.
            output: what it writes to.
        """
        ...


class Fresh:
    """A process of its own for each."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int], output: int
    ) -> "Process":
        """Begin one; see `Trainer`."""
        return Process(
            subprocess.Popen(
                [sys.executable, "-m", "invoke", *words],
                cwd=self._root,
                env={key: value for key, value in environment.items() if key != _WARM},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a terminal's Ctrl-C reaches the agent alone, which passes it on
                pass_fds=list(descriptors),
                preexec_fn=tied_to_this(),
            )
        )


class Process:
    """A training in a process of its own."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    def poll(self) -> int | None:
        """Its exit code; see `Job`."""
        return self._child.poll()

    def send_signal(self, signum: int) -> None:
        """Send it a signal; a kill reaches its helpers too."""
        if signum == signal.SIGKILL and self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signum)
        else:
            self._child.send_signal(signum)
