"""A handler asked to stop: its trainings are saved first, then it ends, whatever it was doing."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SECOND_SIGNAL_AFTER = 1.0
"""Seconds. One Ctrl-C may arrive twice."""


class HandlerStopped(BaseException):
    """A signal asked for an end; no `except Exception` of a handler is meant to hold that up."""


class Interruption:
    """SIGTERM and SIGINT: raised at once, but while trainings are under way, which look here.

    Attributes:
        signum: the first signal; None while there was none.
        insisted: whether another came, more than a second later.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.insisted = False
        self._since = 0.0
        self._busy = False
        self._heeding = False

    @property
    def why(self) -> str:
        """`stopped by SIGTERM`; empty while nobody asked."""
        return f"stopped by {signal.Signals(self.signum).name}" if self.signum is not None else ""

    def heed(self) -> None:
        """Receive the signals of this process from now on."""
        self._heeding = True
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._receive)

    def ignore(self) -> None:
        """The work is done, what remains takes a moment: nothing interrupts that."""
        for signum in (signal.SIGTERM, signal.SIGINT) if self._heeding else ():
            signal.signal(signum, _never)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raise nothing meanwhile, and what has been asked for afterwards.

        Raises:
            HandlerStopped: a signal came.
        """
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            if self.signum is not None:
                raise HandlerStopped(self.why)

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        del frame
        now = time.monotonic()
        if self.signum is None:
            self.signum, self._since = signum, now
        elif now - self._since > _SECOND_SIGNAL_AFTER:
            self.insisted = True
        if not self._busy:
            raise HandlerStopped(self.why)


def _never(signum: int, frame: FrameType | None) -> None:
    del signum, frame
