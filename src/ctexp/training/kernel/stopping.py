"""SIGTERM and SIGINT, as requests that training honours where it can be resumed."""

import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType

from ctexp.core.errors import Stopped

_SECOND_SIGNAL_AFTER = 1.0
"""Seconds. Wrappers such as `uv run` deliver one Ctrl-C twice, up to 0.2 s apart; that is one request."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequests:
    """SIGTERM and SIGINT as a request that training honours at its next optimizer step.

    A second signal, more than a second later, ends at once and without a checkpoint.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.signum: int | None = None
        self._clock = clock
        self._since = 0.0
        self._raising = True
        self._before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> "StopRequests":
        self._before = {signum: signal.getsignal(signum) for signum in _SIGNALS}
        self.take_over()
        return self

    def take_over(self) -> None:
        """Be the only handler, whoever has put another in between."""
        for signum in _SIGNALS:
            signal.signal(signum, self._receive)

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
        if self.signum is None:
            self.signum, self._since = signum, self._clock()
        elif self._raising and self._clock() - self._since > _SECOND_SIGNAL_AFTER:
            raise Stopped(signum, "stopped at once by a second signal, without a new checkpoint")

    def let_finish(self) -> None:
        """From here on the end is being written down, and no signal breaks that off."""
        self._raising = False

    def check(self) -> None:
        """Honour a request outside the training loop.

        Raises:
            Stopped: there is one.
        """
        if self.signum is not None:
            raise Stopped(self.signum)
