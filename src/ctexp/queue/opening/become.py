"""The program that has checked everything turns into the script it was called by: same pid, same locks."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ctexp.core import clock, screen
from ctexp.core.errors import Stopped
from ctexp.core.locks import FileLock, passed_on
from ctexp.core.paths import shown
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import uptime
from ctexp.queue.opening.inhibit import inhibit_sleep

_LOOK_SECONDS = 15.0
"""Between two looks at the clock: one that counts sleep too, which no timer does."""


def go_on_alone(queue: QueueDir) -> None:
    """Leave the terminal to the caller: only the child, in a session of its own, comes back from here."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        print(f"queue  {queue.id}")
        print(f"pid    {pid}")
        print(f"log    {shown(queue.log)}")
        print(f"watch  scripts/inv queue-watch {queue.id}")
        print(f"stop   kill {pid}")
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    log = os.open(queue.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)


def wait_until(opens: float, said: str) -> None:
    """Sleep until the window opens.

    Args:
        opens: by `uptime()`.
        said: the moment, for people.

    Raises:
        Stopped: a signal came.
    """
    if uptime() >= opens:
        return
    screen.note(f"the window opens at {said}, in {clock.duration(opens - uptime())}")

    def stop(signum: int, _: FrameType | None) -> None:
        raise Stopped(signum, "stopped before the window opened")

    # A terminal that goes away takes no night with it; the script does not mind either.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    while (left := opens - uptime()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))


def become(queue: QueueDir, locks: Sequence[FileLock], variables: Mapping[str, str]) -> NoReturn:
    """Run the queue's copy of the script in place of this program.

    Args:
        queue: whose.
        locks: held by this process; the script and all it starts will hold them.
        variables: of the environment, beside what is there.
    """
    environment, descriptors = passed_on(*locks, environment=os.environ | variables)
    awake = inhibit_sleep(f"queue {queue.id}")
    for descriptor in (*descriptors, *(() if awake is None else (awake,))):
        os.set_inheritable(descriptor, True)
    # What Python ignores the script would have to ignore for good.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    bash = Path(shutil.which("bash") or "/bin/bash")
    os.execve(bash, ["bash", str(queue.script)], environment)  # noqa: S606 - the script is what shall run
