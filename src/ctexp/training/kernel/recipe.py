"""From settings to the things that train: device, network, batches."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import nn

from ctexp.config.schema import Settings
from ctexp.config.schema.learning import (
    BalancedSoftmaxSettings,
    ClassBalancedSettings,
    CrossEntropySettings,
    FocalSettings,
)
from ctexp.core import screen
from ctexp.core.classes import CLASSES
from ctexp.core.errors import UsageError
from ctexp.core.heartbeat import beat
from ctexp.core.metric_names import higher_is_better
from ctexp.data.augment import Amounts, Augmentation
from ctexp.data.batches import EvalBatches, TrainBatches, labels_of
from ctexp.data.cache import ImageCache, UncachedImages
from ctexp.data.mixing import Mixing
from ctexp.data.pixels import DevicePixels, HostPixels, Images, Pixels
from ctexp.data.radiomics.inputs import FeatureInputs
from ctexp.data.sampling import ClassBalanced, Sampler, Uniform
from ctexp.data.selection import Selection
from ctexp.models import losses
from ctexp.models.weights import WeightsOrigin
from ctexp.training.kernel.averaging import build_average
from ctexp.training.kernel.finetune import Finetuning
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.network import build_network
from ctexp.training.kernel.schedule import Schedule

_GPU_SHARE = 0.25  # of its free memory, for one split


def build_module(
    settings: Settings,
    selection: Selection,
    features: FeatureInputs | None,
    origin: WeightsOrigin,
    device: torch.device,
) -> Classifier:
    """The network with its first weights, its loss and its schedule; the same for the same seed.

    Raises:
        PreflightError: the weights do not fit the network.
        UsageError: the network cannot be built with these settings.
    """
    pl.seed_everything(settings.seed, verbose=False)
    model = build_network(settings, origin, len(features.columns) if features else 0)
    if device.type == "cuda" and settings.trainer.channels_last:
        model = model.to(memory_format=torch.channels_last)
    steps = -(-len(selection.rows["train"]) // images_a_step(settings))
    return Classifier(
        model,
        build_loss(settings, [selection.counts()["train"][name] for name in CLASSES]),
        Schedule(
            settings.scheduler,
            steps,
            settings.trainer.max_epochs,
            higher_is_better=higher_is_better(settings.trainer.monitor),
            averaging=settings.averaging,
        ),
        Finetuning(model, settings.finetune, steps),
        build_average(settings, model),
        settings,
    )


def images_a_step(settings: Settings) -> int:
    """The most images that one optimizer step learns from."""
    return settings.data.batch_size * settings.trainer.accumulate_grad_batches


def build_loss(settings: Settings, counts: Sequence[int]) -> nn.Module:
    """The loss, for so many training images of each class."""
    loss = settings.loss
    if isinstance(loss, CrossEntropySettings):
        balanced = loss.class_weights == "balanced"
        return losses.cross_entropy(counts, label_smoothing=loss.label_smoothing, balanced=balanced)
    if isinstance(loss, FocalSettings):
        return losses.FocalLoss(counts, gamma=loss.gamma, balanced=loss.class_weights == "balanced")
    if isinstance(loss, ClassBalancedSettings):
        return losses.class_balanced(counts, beta=loss.beta, label_smoothing=loss.label_smoothing)
    if isinstance(loss, BalancedSoftmaxSettings):
        return losses.BalancedSoftmax(counts, label_smoothing=loss.label_smoothing)
    return losses.PairwiseConfusion(confusion=loss.confusion, label_smoothing=loss.label_smoothing)


def refuse_unfit_input(module: Classifier, selection: Selection) -> None:
    """Try one step's forward pass on a copy, before a run is made of it.

    Raises:
        UsageError: the network cannot take images of this size, or batches as small as these.
    """
    data = module.settings.data
    images = len(selection.rows["train"])
    steps = -(-images // images_a_step(module.settings))
    smallest = max(1, images // steps // module.pieces)
    devices = module.settings.trainer.devices
    if smallest < devices:
        raise UsageError(
            f"trainer.devices={devices}: a step computes as few as {smallest} of its images at a time",
            "use fewer devices, a larger data.batch_size or a smaller trainer.accumulate_grad_batches",
        )
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


def build_train_batches(
    settings: Settings, pixels: Pixels, labels: NDArray[np.int64], features: NDArray[np.float32] | None = None
) -> TrainBatches:
    """The training split, shuffled, sampled, augmented and mixed.

    Args:
        settings: of all that.
        pixels: the training images.
        labels: their labels (N,).
        features: a row of numbers for each image (N, k), or None.
    """
    augment, seed = settings.augment, settings.seed
    shape = (settings.data.image_size, settings.data.image_size)
    sampler: Sampler = Uniform(len(labels), seed)
    if settings.sampler.name == "class_balanced":
        sampler = ClassBalanced(labels, seed)
    amounts = Amounts(**{field.name: getattr(augment, field.name) for field in fields(Amounts)})
    return TrainBatches(
        pixels,
        labels,
        Augmentation(amounts, shape, seed, sampler.rows),
        images_a_step(settings),
        seed,
        features,
        sampler=sampler,
        mixing=Mixing(augment.mixup, augment.cutmix, shape, seed),
    )


@dataclass(frozen=True)
class ImageStore:
    """Opens the decoded images of a split, decoding what no run has decoded before.

    Args:
        settings: image size, batch sizes, cache, augmentation, seed.
        selection: the rows of each split.
        features: what stands beside the images, for networks that take it.
        data_dir: where raw images and cache lie.
        device: where the batches will be used. A GPU keeps a cached split that is small beside its free
            memory, and augments it.
    """

    settings: Settings
    selection: Selection
    features: FeatureInputs | None
    data_dir: Path
    device: torch.device

    def train_batches(self) -> TrainBatches:
        """The training split, shuffled and augmented.

        Raises:
            DataError: files are damaged or changed; all of them are named.
        """
        labels = labels_of(self.selection.rows["train"])
        return build_train_batches(self.settings, self._pixels("train"), labels, self._features("train"))

    def eval_batches(self, split: str) -> EvalBatches:
        """A split as it is.

        Raises:
            DataError: as for `train_batches`.
        """
        labels = labels_of(self.selection.rows[split])
        return EvalBatches(
            self._pixels(split), labels, self.settings.data.eval_batch_size, self._features(split)
        )

    def on(self, device: torch.device) -> tuple[TrainBatches, EvalBatches]:
        """Training and validation images for another device.

        Raises:
            DataError: as for `train_batches`.
        """
        there = replace(self, device=device)
        return there.train_batches(), there.eval_batches("val")

    def _features(self, split: str) -> NDArray[np.float32] | None:
        return self.features.values[split] if self.features else None

    def _pixels(self, split: str) -> Pixels:
        images, count = self._images(split), len(self.selection.rows[split])
        on_gpu = self.device.type == "cuda"
        if on_gpu and isinstance(images, ImageCache) and self._fits(count):
            return DevicePixels(images, count, self.device)
        return HostPixels(images, pin=on_gpu)

    def _fits(self, count: int) -> bool:
        """Whether so many images leave the GPU to the training."""
        free, _ = torch.cuda.mem_get_info(self.device)
        return count * self.settings.data.image_size**2 < free * _GPU_SHARE

    def _images(self, split: str) -> Images:
        data, rows = self.settings.data, self.selection.rows[split]
        raw = self.selection.catalog.raw
        if data.cache == "none":
            return UncachedImages(raw, rows, data.image_size, data.resize)
        with screen.bar(f"decoding {split}") as bar:
            task = bar.add_task("images", total=None)

            def moved(done: int, total: int) -> None:
                beat()
                bar.update(task, completed=done, total=total)

            return ImageCache.open(self.data_dir, raw, rows, data.image_size, data.resize, moved)
