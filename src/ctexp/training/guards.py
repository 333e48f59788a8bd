"""Ends that leave a record: signals, and losses that are not finite."""

import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, Checkpoint

from ctexp.core.errors import Stopped
from ctexp.training.checkpoints import LastCheckpoint
from ctexp.training.module import Classifier

_SECOND_SIGNAL_AFTER = 1.0
"""Seconds. Wrappers such as `uv run` deliver one Ctrl-C twice, up to 0.2 s apart; that is one request."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_FINITE_CHECK_STEPS = 25
"""Reading a GPU's verdict waits for the GPU, so it is read this often, and before every checkpoint."""


class StopRequests:
    """SIGTERM and SIGINT as a request that training honours at its next optimizer step.

    A second signal, more than a second later, ends at once and without a checkpoint.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.signum: int | None = None
        self._clock = clock
        self._since = 0.0
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
        elif self._clock() - self._since > _SECOND_SIGNAL_AFTER:
            raise Stopped(signum, "stopped at once by a second signal, without a new checkpoint")

    def check(self) -> None:
        """Honour a request outside the training loop.

        Raises:
            Stopped: there is one.
        """
        if self.signum is not None:
            raise Stopped(self.signum)


class StepGuard(Callback):
    """Looks after every step: is the loss finite, does somebody want us to stop?

    A stop in the middle of an epoch is saved here, at the boundary of an optimizer step. After the last step
    of an epoch its validation comes first: a checkpoint between the two would resume without it.

    Args:
        requests: where signals arrive.
        last: writes the checkpoint to resume from.
    """

    def __init__(self, requests: StopRequests, last: LastCheckpoint) -> None:
        self._requests = requests
        self._last = last

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take SIGTERM back from Lightning, whose own answer to it breaks off a validation."""
        del trainer, pl_module
        self._requests.take_over()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """See the class."""
        del outputs, batch
        assert isinstance(pl_module, Classifier)  # noqa: S101 - for the type checker
        if pl_module.device.type == "cpu" or (batch_idx + 1) % _FINITE_CHECK_STEPS == 0:
            pl_module.check_finite()
        if self._requests.signum is not None and not trainer.is_last_batch:
            self._last.save(trainer, pl_module)
            self._requests.check()


class EpochGuard(Checkpoint):
    """Honours a stop once the epoch's checkpoints are written; a `Checkpoint`, to be called after them."""

    def __init__(self, requests: StopRequests) -> None:
        self._requests = requests

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """See the class."""
        del trainer, pl_module
        self._requests.check()
