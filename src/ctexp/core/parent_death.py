"""A process that is asked to end when its parent dies, however that happens: Linux tells it."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(libc: ctypes.PyDLL | None = None) -> None:
    """Have the kernel send this process SIGTERM when the thread that made it ends, however that happens.

    Args:
        libc: loaded before a fork, after which nothing may be loaded.
    """
    (libc or ctypes.PyDLL(None)).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def tied_to_this() -> Callable[[], None]:
    """What a child calls between fork and exec, so that it gets SIGTERM when this process dies."""
    libc, parent = ctypes.PyDLL(None), os.getpid()

    def prepare() -> None:
        die_with_parent(libc)
        if os.getppid() != parent:  # it died before it could be told
            os._exit(128 + signal.SIGTERM)

    return prepare
