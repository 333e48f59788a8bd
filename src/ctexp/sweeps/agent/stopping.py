"""Why an agent should stop: a signal, or the time that it was given."""

import time
from datetime import datetime
from typing import Protocol

from ctexp.core import clock
from ctexp.core.stopping import Requests

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


class Stops(Requests):
    """SIGTERM, SIGINT, and a moment in time.

    Args:
        until: when the time is over; None for never.
    """

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__()
        self.until = until

    @property
    def why(self) -> str:
        """`stopped by SIGTERM`, `the time is over`; empty while there is no reason."""
        return super().why or ("the time is over" if self.seconds_left() <= 0 else "")

    def seconds_left(self) -> float:
        """Until the time is over; infinite where it never is."""
        return float("inf") if self.until is None else (self.until - clock.now()).total_seconds()

    def wait(self, seconds: float) -> None:
        """Sleep for so long, or until there is a reason to stop."""
        end = time.monotonic() + seconds
        while not self.why and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
