"""One training watched until its end: its epochs answered, signs of life given, a stop passed on."""

import select
import signal
import time
from collections.abc import Callable

from ctexp.core.referee import Message, Watcher
from ctexp.executors.trainers import Job
from ctexp.sweeps.agent.stopping import Asked

_LOOK_SECONDS = 0.1
_ENDING_SECONDS = 0.005
"""A training whose line has closed is about to end."""

_GRACE_SECONDS = 600.0
"""For a checkpoint, once it was asked to stop."""


def watch(
    job: Job,
    watcher: Watcher,
    *,
    told: Callable[[Message], bool],
    pulse: Callable[[], None],
    asked: Asked,
) -> int:
    """Wait for a training's end; asked to stop it gets SIGTERM, and insisted upon, SIGKILL.

    Args:
        job: the training.
        watcher: the line to it; its end has been passed on.
        told: given each message; whether the training should go on.
        pulse: called several times a second.
        asked: see `Asked`.

    Returns:
        The exit code, or minus the signal that killed it.
    """
    asked_at = killed_at = float("inf")
    try:
        while (code := job.poll()) is None:
            _answer(watcher, told)
            pulse()
            now = time.monotonic()
            if asked.why and asked_at > now:
                asked_at = now
                job.send_signal(signal.SIGTERM)
            if killed_at > now and (asked.insisted or now - asked_at > _GRACE_SECONDS):
                killed_at = now
                job.send_signal(signal.SIGKILL)
    except BaseException:
        _end(job, watcher)
        raise
    _answer(watcher, told, wait=False)
    return code


def _answer(watcher: Watcher, told: Callable[[Message], bool], *, wait: bool = True) -> None:
    """Answer what has been told, waiting a little for it."""
    if watcher.closed:
        time.sleep(_ENDING_SECONDS if wait else 0)
        return
    select.select([watcher], [], [], _LOOK_SECONDS if wait else 0)
    for message in watcher.read():
        watcher.answer(go_on=told(message))


def _end(job: Job, watcher: Watcher) -> None:
    """Let a training save what it has and end: whoever would watch it cannot."""
    watcher.close()  # it may be waiting for an answer
    job.send_signal(signal.SIGTERM)
    end = time.monotonic() + _GRACE_SECONDS
    while job.poll() is None:
        if time.monotonic() > end:
            job.send_signal(signal.SIGKILL)
        time.sleep(_ENDING_SECONDS)
