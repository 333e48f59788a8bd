"""What is told about every epoch: a row of history, a line for people, an event, and the tracker."""

import math
import sys
from collections.abc import Callable, Mapping

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.progress import Progress, TaskID

from ctexp.core import clock, screen
from ctexp.data.batches import Batch, TrainBatches
from ctexp.training.kernel.meters import Meters
from ctexp.training.kernel.module import Classifier

Row = dict[str, float | None]


class EpochReport(Callback):
    """Reports each epoch once, before its checkpoints are written.

    A terminal also sees a bar move with the steps; a log sees one line an epoch.

    Args:
        monitor: the metric that selects the best epoch, shown in the line.
        sinks: who gets each row: the history file, the event log, the tracker.
    """

    def __init__(self, monitor: str, sinks: tuple[Callable[[Row], None], ...]) -> None:
        self._images = 0
        self._monitor = monitor
        self._sinks = sinks
        self._meters: Meters | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Start the bar where somebody can see it."""
        del pl_module, stage
        if sys.stderr.isatty():
            self._bar = screen.bar("epoch {task.fields[epoch]}")
            self._task = self._bar.add_task("train", epoch=f"1/{trainer.max_epochs}")
            self._bar.start()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take the bar away, however training ended."""
        del trainer, pl_module, stage
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure from here when an epoch is resumed in its middle."""
        del trainer
        self._meters = Meters(pl_module.device)
        self._meters.begin()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure from here."""
        del pl_module
        if self._meters is not None:
            self._meters.begin()
        if self._bar is not None:
            epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
            self._bar.reset(self._task, total=trainer.num_training_batches, epoch=epoch)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Count the images, for a resumed epoch trains only some of them here; move the bar."""
        del trainer, pl_module, outputs
        self._images += len(batch.labels)
        if self._bar is not None:
            self._bar.update(self._task, completed=batch_idx + 1)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell everybody."""
        assert isinstance(pl_module, Classifier)  # noqa: S101 - for the type checker
        row: Row = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
        row |= {f"train/{name}": _defined(value) for name, value in pl_module.sums.means().items()}
        row |= {f"val/{name}": _defined(value) for name, value in pl_module.val_metrics.items()}
        # That of the head: layer decay lowers it for all before.
        row["learning_rate"] = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        batches = trainer.train_dataloader
        assert isinstance(batches, TrainBatches)  # noqa: S101 - likewise
        if self._meters is not None:
            row |= self._meters.read(self._images) | {"input_seconds": batches.spent()}
            self._images = 0
        for sink in self._sinks:
            sink(row)
        if self._bar is not None:
            self._bar.stop()
        screen.note(self._line(row, trainer.max_epochs or 0))
        if self._bar is not None:
            self._bar.start()

    def _line(self, row: Mapping[str, float | None], of: int) -> str:
        shown = sorted({"train/loss", "val/loss", "val/accuracy", self._monitor})
        values = "  ".join(f"{name} {_short(row[name])}" for name in shown)
        cost = f"{clock.duration(row['seconds'] or 0)}  {row['images_per_second'] or 0:.0f} images/s"
        return f"epoch {row['epoch']:.0f}/{of}  {values}  {cost}"


def _defined(value: float) -> float | None:
    """None, which every file format knows, for a number that is undefined here."""
    return None if math.isnan(value) else value


def _short(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
