"""Child processes that lead groups of their own: whether one has ended, and what of its group is left."""

import contextlib
import os
import signal


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it is left to be waited for, so that its number is not given away."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_group(pid: int) -> None:
    """Kill all that is left of a group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
