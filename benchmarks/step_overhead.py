"""What our callbacks and hooks cost per training step, against a bare Lightning Trainer.

    .venv/bin/python -m benchmarks.step_overhead

The same network, batches and optimizer, both through Lightning, in alternation; the network is so small that
the loop itself is what is timed. Prints the median milliseconds per step of each and the difference.
"""

import statistics
import tempfile
import time
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from benchmarks.aims import told
from ctexp.data.batches import Batch
from tests.training import tiny

IMAGES = 1200
EPOCHS = 5
ROUNDS = 9
AIM_MS = 0.1


class Bare(pl.LightningModule):
    """The least a module can do with the same batches."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One loss."""
        del batch_idx
        images = batch.images.float().sub_(255 * 0.449).mul_(1 / (255 * 0.226))
        loss: Tensor = self.loss(self.model(images), batch.labels)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As ours."""
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def network() -> nn.Module:
    """One linear layer: its step is shorter than what is looked for."""
    return nn.Sequential(nn.Flatten(), nn.Linear(256, 4))


def bare() -> float:
    """Seconds per step without us."""
    pictures = tiny.Pictures(IMAGES, seed=1)
    batches = tiny.batches(pictures, tiny.settings())
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock := Clock()],
    )
    trainer.fit(Bare(network()), batches)
    return clock.per_step()


def ours() -> float:
    """Seconds per step with everything `fit` brings."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        config = tiny.settings(trainer={"max_epochs": EPOCHS}, model={"dropout": 0.0})
        tiny.train(Path(folder), config, report=clock, images=IMAGES, model=network())
        return clock.per_step()


class Clock(pl.Callback):
    """Sums the time between the first step's start and the last one's end of each epoch."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._steps = 0
        self._began = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        del trainer, pl_module
        self._began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Count."""
        del pl_module, outputs, batch
        if batch_idx + 1 == trainer.num_training_batches:
            self._seconds += time.perf_counter() - self._began
            self._steps += batch_idx + 1

    def per_step(self) -> float:
        """Seconds."""
        return self._seconds / self._steps


def main() -> None:
    """Measure in alternation and print."""
    torch.set_num_threads(1)
    rows = [(bare(), ours()) for _ in range(ROUNDS)]
    for name, column in (("bare Trainer", 0), ("ctexp", 1)):
        values = sorted(row[column] * 1e3 for row in rows)
        print(f"{name:<14}{statistics.median(values):7.3f} ms/step  ({values[0]:.3f} to {values[-1]:.3f})")
    extra = sorted((ours_ - bare_) * 1e3 for bare_, ours_ in rows)
    print(
        f"overhead      {statistics.median(extra):7.3f} ms/step  ({extra[0]:.3f} to {extra[-1]:.3f}); "
        f"ratio {statistics.median(o / b for b, o in rows):.2f}"
    )
    told("overhead of a step", statistics.median(extra), "ms", AIM_MS, "at most")


if __name__ == "__main__":
    main()
