"""Why an agent should stop: a signal, or the time that it was given."""

import signal
import time
from collections.abc import Callable
from datetime import datetime
from types import FrameType, TracebackType
from typing import Protocol, Self

from ctexp.core import clock

_SECOND_SIGNAL_AFTER = 1.0
"""Seconds. A wrapper may deliver one Ctrl-C twice; that is one request."""

_LOOK_SECONDS = 0.1


class Asked(Protocol):
    """Whether a trial under way has to be broken off."""

    @property
    def why(self) -> str:
        """One line; empty where it may go on."""
        ...

    @property
    def insisted(self) -> bool:
        """Whether it has to end at once, without a checkpoint."""
        ...


class Stops:
    """SIGTERM, SIGINT, and a moment in time. Nothing is ever raised: whoever works looks here.

    Args:
        until: when the time is over; None for never.

    Attributes:
        signum: the first signal; None while there was none.
        insisted: whether another came, more than a second later.
    """

    def __init__(self, until: datetime | None = None) -> None:
        self.until = until
        self.signum: int | None = None
        self.insisted = False
        self._since = 0.0
        self._before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    @property
    def why(self) -> str:
        """`stopped by SIGTERM`, `the time is over`; empty while there is no reason."""
        if self.signum is not None:
            return f"stopped by {signal.Signals(self.signum).name}"
        return "the time is over" if self.seconds_left() <= 0 else ""

    def seconds_left(self) -> float:
        """Until the time is over; infinite where it never is."""
        return float("inf") if self.until is None else (self.until - clock.now()).total_seconds()

    def wait(self, seconds: float) -> None:
        """Sleep for so long, or until there is a reason to stop."""
        end = time.monotonic() + seconds
        while not self.why and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))

    def __enter__(self) -> Self:
        for signum in (signal.SIGTERM, signal.SIGINT):
            self._before[signum] = signal.signal(signum, self._receive)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        del frame
        now = time.monotonic()
        if self.signum is None:
            self.signum, self._since = signum, now
        elif now - self._since > _SECOND_SIGNAL_AFTER:
            self.insisted = True
