"""SIGTERM and SIGINT, as requests that training honours where it can be resumed."""

from types import FrameType

from ctexp.core.errors import Stopped
from ctexp.core.stopping import Requests


class StopRequests(Requests):
    """SIGTERM and SIGINT as a request that training honours at its next optimizer step.

    A second signal, more than a second later, ends at once and without a checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        self._raising = True

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        super()._receive(signum, frame)
        if self.insisted and self._raising:
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
