"""Signs of life: work that takes long says, at most once a second, that it still moves.

Whoever waits for it names a file in `CTEXP_HEARTBEAT`, and sees the file's time change. Without that
variable, as whenever a person trains, nothing is written.
"""

import os
import time

VARIABLE = "CTEXP_HEARTBEAT"
"""Environment variable: the file whose time of change is the last sign of life."""

_SECONDS = 1.0

_due = 0.0


def beat() -> None:
    """Say that this process is getting on; called at every step, it costs no more than a look at a clock.

    A beat that cannot be given, on a full disk or in a folder that is gone, is none: nobody dies of it.
    """
    global _due
    now = time.monotonic()
    if now < _due:
        return
    _due = now + _SECONDS
    if path := os.environ.get(VARIABLE):
        try:
            # Made by whoever waits: this way it costs no space, and a full disk does not stop it.
            os.utime(path)
        except OSError:
            return
