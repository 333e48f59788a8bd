"""SIGTERM and SIGINT as requests: they raise nothing by themselves, whoever works looks for them."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_SECOND_SIGNAL_AFTER = 1.0
"""Seconds. Wrappers such as `uv run` deliver one Ctrl-C twice, up to 0.2 s apart; that is one request."""


class Requests:
    """What SIGTERM and SIGINT ask of this process, while it is entered.

    Attributes:
        signum: the first signal; None while there was none.
        insisted: whether another came, more than a second later.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.insisted = False
        self._clock = time.monotonic
        self._since = 0.0
        self._before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    @property
    def why(self) -> str:
        """`stopped by SIGTERM`; empty while nobody asked."""
        return f"stopped by {signal.Signals(self.signum).name}" if self.signum is not None else ""

    def __enter__(self) -> Self:
        self._before = {signum: signal.getsignal(signum) for signum in _SIGNALS}
        self.take_over()
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def take_over(self) -> None:
        """Be the only handler, whoever has put another in between."""
        for signum in _SIGNALS:
            signal.signal(signum, self._receive)

    def _receive(self, signum: int, _: FrameType | None) -> None:
        if self.signum is None:
            self.signum, self._since = signum, self._clock()
        elif self._clock() - self._since > _SECOND_SIGNAL_AFTER:
            self.insisted = True
