"""Training images a second: ours, against the limit of the device and against a script as people write it.

    .venv/bin/python -m benchmarks.training

The same network, precision, images and batch size three times over, in alternation:

    limit    a plain PyTorch loop over one batch of tensors that is already on the device
    script   Lightning with ImageFolder, torchvision's transforms, DataLoader with two workers and `self.log`
    ctexp    what `inv train` runs: its fit, data path, guards and sums

On a processor a small network at 64 pixels; where there is a GPU, ResNet-50 at 224 in bf16 too. Timed are the
steps of an epoch in its steady state: the first epoch, in which kernels and workers warm up, is left out.
"""

import logging
import statistics
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy
from torchvision import transforms

from benchmarks.aims import told
from benchmarks.image_folder import loader, make_files
from benchmarks.step_overhead import Clock
from ctexp.config.compose import compose
from ctexp.config.schema import Settings
from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset
from ctexp.data.selection import Selection, select
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.recipe import ImageStore, build_module
from ctexp.training.kernel.stopping import StopRequests
from tests.project import make_project

IMAGES = 400
BATCH = 32
EPOCHS = 3  # after the first
ROUNDS = 5
AIM_LIMIT = 0.95


@dataclass(frozen=True)
class Case:
    """What is trained: network, side in pixels, precision, and where."""

    model: str
    side: int
    precision: str
    device: torch.device

    def network(self) -> nn.Module:
        """With random weights, in the memory layout that suits the device."""
        network = build(
            self.model,
            WeightsOrigin("random"),
            in_channels=1,
            image_size=self.side,
            num_classes=len(CLASSES),
            dropout=0.0,
        )
        cuda = self.device.type == "cuda"
        return network.to(memory_format=torch.channels_last) if cuda else network

    def settings(self, root: Path) -> Settings:
        """Ours, for as many epochs as are run."""
        accelerator = "gpu" if self.device.type == "cuda" else "cpu"
        overrides = (
            "data.name=bench",
            "data.split=official",
            f"model.name={self.model}",
            "model.pretrained=false",
            f"data.image_size={self.side}",
            f"data.batch_size={BATCH}",
            "augment=flip_rotate",
            f"trainer.max_epochs={EPOCHS + 1}",
            f"trainer.accelerator={accelerator}",
            f"trainer.precision={self.precision}",
            "trainer.early_stopping=null",
            "logger=none",
        )
        return compose(overrides, root).settings


class Script(pl.LightningModule):
    """A module as a template for Lightning and Hydra has it."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._channels_last = case.device.type == "cuda"
        self.model = case.network()
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.accuracy = MulticlassAccuracy(len(CLASSES))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss and accuracy, logged."""
        del batch_idx
        images, labels = batch
        if self._channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        logits = self.model(images)
        loss: Tensor = self.loss(logits, labels)
        self.log("train/loss", loss, on_step=True, on_epoch=True)
        self.log("train/accuracy", self.accuracy(logits, labels), on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """As ours."""
        return torch.optim.AdamW(self.parameters(), lr=1e-4, weight_decay=0.05)


def limit(case: Case) -> float:
    """Images a second of forward, backward and step on a batch that is there."""
    model = case.network().to(case.device).train()
    cuda = case.device.type == "cuda"
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05, fused=cuda or None)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    images = torch.randn(BATCH, 1, case.side, case.side, device=case.device)
    if cuda:
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(BATCH, device=case.device) % len(CLASSES)
    steps = EPOCHS * IMAGES // BATCH
    began = 0.0
    for step in range(-5, steps):
        if step == 0:
            _wait(case.device)
            began = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast(case.device.type, torch.bfloat16) if case.precision == "bf16" else nullcontext():
            value = loss(model(images), labels)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    _wait(case.device)
    return steps * BATCH / (time.perf_counter() - began)


def script(case: Case, folder: Path) -> float:
    """Images a second of the script."""
    augmentation = [transforms.RandomHorizontalFlip(), transforms.RandomRotation(10)]
    trainer = pl.Trainer(
        accelerator=case.device.type,
        devices=1,
        precision="bf16-mixed" if case.precision == "bf16" else "32-true",
        max_epochs=EPOCHS + 1,
        gradient_clip_val=1.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock := Steady(case.device)],
    )
    trainer.fit(Script(case), loader(folder, augmentation, 2, case.side))
    return IMAGES / clock.per_epoch()


def ours(case: Case, settings: Settings, selection: Selection, root: Path) -> float:
    """Images a second of ctexp."""
    module = build_module(settings, selection, None, WeightsOrigin("random"), case.device)
    store = ImageStore(settings, selection, None, root / "data", case.device)
    clock = Steady(case.device)
    with tempfile.TemporaryDirectory() as folder, StopRequests() as requests:
        fit(
            module,
            store.train_batches(),
            store.eval_batches("val"),
            checkpoints=Path(folder) / "checkpoints",
            device=case.device,
            requests=requests,
            watchers=[clock],
            resume=None,
        )
    return IMAGES / clock.per_epoch()


class Steady(Clock):
    """The clock of another benchmark, that waits for the device and forgets the first epoch."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        if trainer.current_epoch == 1:
            self._seconds = 0.0
        _wait(self._device)
        super().on_train_epoch_start(trainer, pl_module)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Count, once the device has done it."""
        if batch_idx + 1 == trainer.num_training_batches:
            _wait(self._device)
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def per_epoch(self) -> float:
        """Seconds."""
        return self._seconds / EPOCHS


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def compare(case: Case, root: Path, images: Path) -> None:
    """Measure in alternation and print."""
    settings = case.settings(root)
    selection = select(root / "data", root / "research/splits", "bench", "official", None)
    rows = [(limit(case), script(case, images), ours(case, settings, selection, root)) for _ in range(ROUNDS)]
    print(f"{case.model}, {case.side} px, {case.precision}, batches of {BATCH}, {case.device}")
    for name, column in (("limit", 0), ("script", 1), ("ctexp", 2)):
        values = sorted(row[column] for row in rows)
        print(f"  {name:<8}{statistics.median(values):9.0f} images/s  ({values[0]:.0f} to {values[-1]:.0f})")
    of_limit = statistics.median(mine / most for most, _, mine in rows)
    of_script = statistics.median(mine / theirs for _, theirs, mine in rows)
    print(f"  ratios  {of_limit:.2f} of the limit, {of_script:.1f} times the script")
    if case.device.type == "cuda":
        told("images/s / the limit of the GPU", of_limit, "", AIM_LIMIT, "at least")


def main() -> None:
    """Compare on whatever this machine has."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # as workers have; two would spin on cores that somebody decodes on
    cases = [Case("tiny_cnn", 64, "32", torch.device("cpu"))]
    if torch.cuda.is_available():
        cases.append(Case("resnet50", 224, "bf16", torch.device("cuda", 0)))
    with tempfile.TemporaryDirectory() as folder:
        root = make_project(Path(folder) / "project")
        source = Path(folder) / "source"
        make_files(source / "train", IMAGES)
        make_files(source / "valid", BATCH)
        import_dataset(source, "bench", root / "data", seed=1)
        for case in cases:
            compare(case, root, source / "train")


if __name__ == "__main__":
    main()
