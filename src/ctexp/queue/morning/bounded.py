"""A program that may take so long and no longer, with whatever it has started."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ctexp.core.locks import HELD


def started(words: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start a program in silence, without a terminal and without the night's locks.

    Args:
        words: the program and its arguments; no shell sees them.
        folder: where it runs.

    Raises:
        OSError: it cannot be started.
        ValueError: a word holds a NUL.
    """
    return subprocess.Popen(
        words,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != HELD},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Whoever watches a job has blocked signals, and would bequeath that.
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, ()),
    )


def ended(program: "subprocess.Popen[bytes]", seconds: float, given: bytes = b"") -> int | None:
    """Wait for its end, and kill it after so long.

    Returns:
        Its exit code; None where it was killed.
    """
    try:
        program.communicate(given, timeout=max(0.1, seconds))
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        return None
    return program.returncode
