"""A handler asked to stop: its trainings are saved first, then it ends, whatever it was doing."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ctexp.core.stopping import Requests


class HandlerStopped(BaseException):
    """A signal asked for an end; no `except Exception` of a handler is meant to hold that up."""


class Interruption(Requests):
    """SIGTERM and SIGINT: raised at once, but while trainings are under way, which look here."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._heeding = False

    def heed(self) -> None:
        """Receive the signals of this process from now on."""
        self._heeding = True
        self.take_over()

    def ignore(self) -> None:
        """The work is done, what remains takes a moment: nothing interrupts that."""
        for signum in (signal.SIGTERM, signal.SIGINT) if self._heeding else ():
            signal.signal(signum, lambda *_: None)

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
        super()._receive(signum, frame)
        if not self._busy:
            raise HandlerStopped(self.why)
