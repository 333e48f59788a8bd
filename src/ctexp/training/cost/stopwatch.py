"""A short look at a training loop: what its steps, its validation and its checkpoint take."""

import hashlib
import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import psutil
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from pytorch_lightning.callbacks import Callback

from ctexp.data.batches import Batch
from ctexp.training.kernel.stopping import StopRequests

STEPS = 10
"""Most steps that are timed."""

WARM_UP = 2
"""Steps before those: the first ones allocate, compile and choose algorithms."""

SECONDS = 5.0
"""After so long no further step begins, once there are two."""


class Stopwatch(Callback):
    """Times steps and validation, ends the loop when it has seen enough, and has a checkpoint saved.

    Attributes:
        validation_seconds: of one batch, of `validation_images`.
        memory_bytes: the peak on the GPU, or of the process where there is none.
        crowding: seconds that pass for each that this process computes, at least 1: others compute here too.
    """

    def __init__(self, device: torch.device, requests: StopRequests) -> None:
        self.device = device
        self.validation_seconds = 0.0
        self.validation_images = 1
        self.memory_bytes = 0
        self.crowding = 1.0
        self._computed = 0.0
        self._requests = requests
        self._marks: list[float] = []
        self._process = psutil.Process()

    @property
    def durations(self) -> list[float]:
        """Seconds of each step."""
        return [end - begin for begin, end in pairwise(self._marks)]

    @property
    def timed(self) -> list[float]:
        """Those of steps after the warm-up, or of the last one where there were no more."""
        return self.durations[WARM_UP:] or self.durations[-1:]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        del trainer, pl_module
        self._requests.take_over()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        self._computed = time.process_time()
        self._marks.append(self._now())

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A step is over; perhaps the last."""
        del pl_module, outputs, batch, batch_idx
        self._marks.append(self._now())
        passed, computed = self._marks[-1] - self._marks[0], time.process_time() - self._computed
        self.crowding = max(1.0, passed / computed)
        enough = len(self._marks) > 2 and passed > SECONDS
        trainer.should_stop = trainer.should_stop or enough or self._requests.signum is not None

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Begin with the validation."""
        del trainer, pl_module, batch, batch_idx, dataloader_idx
        self.validation_seconds = -self._now()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """It is over."""
        del trainer, pl_module, outputs, batch_idx, dataloader_idx
        self.validation_seconds += self._now()
        self.validation_images = len(batch.labels)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the memory, and save."""
        del pl_module
        on_gpu = self.device.type == "cuda"
        self.memory_bytes = (
            torch.cuda.max_memory_allocated(self.device) if on_gpu else self._process.memory_info().rss
        )
        trainer.save_checkpoint("last", weights_only=False)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


class TimedCheckpoint(CheckpointIO):
    """Writes as `DurableCheckpoints` does, to a file without a name, and sees how long that takes.

    Attributes:
        seconds: for the checkpoint.
        sync_seconds: for a file of a few bytes, until it is on the disk.
        bytes: of the checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seconds = 0.0
        self.sync_seconds = 0.0
        self.bytes = 0

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, sync and hash."""
        del path, storage_options
        began = time.perf_counter()
        with tempfile.TemporaryFile(dir=self._folder) as file:
            torch.save(checkpoint, file)
            self.bytes = file.tell()
            _sync(file)
            file.seek(0)
            hashlib.file_digest(file, "sha256")
            self.seconds = time.perf_counter() - began
            file.write(b"a few more")
            self.sync_seconds = _sync(file)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """There is nothing to load."""
        raise NotImplementedError

    def remove_checkpoint(self, path: str | Path) -> None:
        """There is nothing to remove."""


def _sync(file: IO[bytes]) -> float:
    """Bring a file onto its disk; the seconds that takes."""
    began = time.perf_counter()
    file.flush()
    os.fsync(file.fileno())
    return time.perf_counter() - began
