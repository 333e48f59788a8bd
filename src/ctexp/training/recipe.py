"""From settings to the things that train: device, network, batches."""

import copy
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch

from ctexp.config.schema import Settings
from ctexp.core import screen
from ctexp.core.classes import CLASSES
from ctexp.core.errors import UsageError
from ctexp.core.metric_names import higher_is_better
from ctexp.data.augment import Augmentation
from ctexp.data.batches import EvalBatches, Images, TrainBatches
from ctexp.data.cache import ImageCache, UncachedImages
from ctexp.data.selection import Selection
from ctexp.models.build import build
from ctexp.models.losses import cross_entropy
from ctexp.models.weights import WeightsOrigin
from ctexp.training.module import Classifier
from ctexp.training.predict import labels_of
from ctexp.training.schedule import Schedule


def build_module(
    settings: Settings, selection: Selection, origin: WeightsOrigin, device: torch.device
) -> Classifier:
    """The network with its first weights, its loss and its schedule; the same for the same seed.

    Raises:
        PreflightError: the weights do not fit the network.
        UsageError: the network cannot be built with these settings.
    """
    pl.seed_everything(settings.seed, verbose=False)
    model = build(
        settings.model.name,
        origin,
        in_channels=settings.model.in_channels,
        image_size=settings.data.image_size,
        num_classes=len(CLASSES),
        dropout=settings.model.dropout,
    )
    if device.type == "cuda" and settings.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    counts = selection.counts()["train"]
    images = sum(counts.values())
    return Classifier(
        model,
        cross_entropy(
            [counts[name] for name in CLASSES],
            label_smoothing=settings.loss.label_smoothing,
            balanced=settings.loss.class_weights == "balanced",
        ),
        Schedule(
            settings.scheduler,
            -(-images // settings.data.batch_size),
            settings.trainer.max_epochs,
            higher_is_better=higher_is_better(settings.trainer.monitor),
        ),
        settings,
    )


def refuse_unfit_input(module: Classifier, selection: Selection) -> None:
    """Try one step's forward pass on a copy, before a run is made of it.

    Raises:
        UsageError: the network cannot take images of this size, or batches as small as these.
    """
    data = module.settings.data
    images = len(selection.rows["train"])
    smallest = images // -(-images // data.batch_size)
    pixels = torch.zeros(min(smallest, 2), 1, data.image_size, data.image_size, dtype=torch.uint8)
    try:
        with torch.no_grad():
            copy.deepcopy(module).cpu().train()(pixels)
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"model.name={module.settings.model.name}: cannot train on images of {data.image_size} pixels in"
            f" batches of {smallest} ({str(error).splitlines()[0]})",
            "try a larger data.image_size or data.batch_size",
        ) from error


@dataclass(frozen=True)
class ImageStore:
    """Opens the decoded images of a split, decoding what no run has decoded before.

    Args:
        settings: image size, batch sizes, cache, augmentation, seed.
        selection: the rows of each split.
        data_dir: where raw images and cache lie.
    """

    settings: Settings
    selection: Selection
    data_dir: Path

    def train_batches(self) -> TrainBatches:
        """The training split, shuffled and augmented.

        Raises:
            DataError: files are damaged or changed; all of them are named.
        """
        settings, rows = self.settings, self.selection.rows["train"]
        augmentation = Augmentation(**settings.augment.model_dump(), seed=settings.seed, count=len(rows))
        return TrainBatches(
            self._images("train"),
            labels_of(rows),
            augmentation,
            settings.data.batch_size,
            settings.seed,
        )

    def eval_batches(self, split: str) -> EvalBatches:
        """A split as it is.

        Raises:
            DataError: as for `train_batches`.
        """
        labels = labels_of(self.selection.rows[split])
        return EvalBatches(self._images(split), labels, self.settings.data.eval_batch_size)

    def _images(self, split: str) -> Images:
        data, rows = self.settings.data, self.selection.rows[split]
        raw = self.selection.catalog.raw
        if data.cache == "none":
            # Nothing is decoded before training then: equal content was decoded when it was imported.
            self.selection.catalog.verify_files(rows, full=True)
            return UncachedImages(raw, rows, data.image_size, data.resize)
        with screen.bar(f"decoding {split}") as bar:
            task = bar.add_task("images", total=None)
            return ImageCache.open(
                self.data_dir,
                raw,
                rows,
                data.image_size,
                data.resize,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
