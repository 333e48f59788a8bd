"""Training images a second, from files to normalised batches, against ImageFolder and against the limit.

    .venv/bin/python -m benchmarks.data_path

Flip and rotation at 224 pixels: ImageFolder with torchvision's transforms and a DataLoader with 0 and with 2
workers, and ours: cached images, OpenCV's applier, floats as the training module makes them. Flip and crop:
ours against what no loader can avoid, which is to gather bytes, make floats of them and normalise, in buffers
used again. The torch applier on the processor is shown for information; it is meant for GPUs.

All take turns in each round, on warm files, workers and caches. torch has one thread in every process, as
DataLoader's workers have by default: between two operations the others would spin on cores that somebody
decodes or rotates on. Prints medians, spreads over the rounds, and ratios within a round.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision import transforms

from benchmarks.aims import told
from benchmarks.image_folder import BATCH, MEAN, SIDE, STD, loader, make_files
from ctexp.data.augment import Amounts, Augmentation
from ctexp.data.batches import TrainBatches
from ctexp.data.cache import ImageCache
from ctexp.data.pixels import DevicePixels, HostPixels, Pixels

IMAGES = 400
ROUNDS = 7
EPOCHS = 10  # of ours in a round: one is over in a twentieth of a second
AIM_PEER, AIM_LIMIT = 25, 4
ROTATION = Amounts(horizontal_flip=0.5, rotation=10.0)
CROP = Amounts(horizontal_flip=0.5, crop=0.1)


def normalised(images: Tensor) -> Tensor:
    """As the training module does it."""
    return images.to(torch.float32).sub_(255 * MEAN).mul_(1 / (255 * STD))


def peer(batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Images a second of one epoch."""
    began = time.perf_counter()
    images = sum(len(images) for images, _ in batches)
    return images / (time.perf_counter() - began)


class Ours:
    """The data path of a training on some pixels."""

    def __init__(self, pixels: Pixels, amounts: Amounts) -> None:
        augmentation = Augmentation(amounts, (SIDE, SIDE), 1, IMAGES)
        self._batches = TrainBatches(pixels, np.zeros(IMAGES, np.int64), augmentation, BATCH, 1)
        self._epoch = 0

    def __call__(self) -> float:
        """Images a second of some epochs."""
        began = time.perf_counter()
        for _ in range(EPOCHS):
            self._epoch += 1
            self._batches.set_epoch(self._epoch)
            for batch in self._batches:
                normalised(batch.images)
        return EPOCHS * IMAGES / (time.perf_counter() - began)


def limit(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    """Images a second of gathering, converting and normalising alone, always into the same buffers."""
    gathered = np.empty((BATCH, SIDE, SIDE), np.uint8)
    floats = torch.empty(BATCH, SIDE, SIDE)
    rng = np.random.default_rng(1)
    steps = EPOCHS * IMAGES // BATCH
    began = time.perf_counter()
    for _ in range(steps):
        np.take(images, rng.integers(0, IMAGES, BATCH), axis=0, out=gathered, mode="clip")
        floats.copy_(torch.from_numpy(gathered)).sub_(255 * MEAN).mul_(1 / (255 * STD))
    return steps * BATCH / (time.perf_counter() - began)


def show(name: str, rates: list[float]) -> None:
    """Median and spread."""
    low, middle, high = min(rates), statistics.median(rates), max(rates)
    print(f"{name:<44}{middle:>9,.0f} images/s  ({low:,.0f} to {high:,.0f})")


def show_ratio(name: str, over: list[float], under: list[float]) -> float:
    """Median, which is given back, and spread of the ratio within a round."""
    ratios = sorted(one / other for one, other in zip(over, under, strict=True))
    print(f"{name:<44}{statistics.median(ratios):>9.1f} ×  ({ratios[0]:.1f} to {ratios[-1]:.1f})")
    return statistics.median(ratios)


def main() -> None:
    """Measure in alternation and print."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = make_files(folder / "raw", IMAGES)
        cache = ImageCache.open(folder, folder / "raw", rows, SIDE, "stretch")
        images = cache.take(np.arange(IMAGES))
        steps = [
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(10, transforms.InterpolationMode.BILINEAR),
        ]
        none, two = loader(folder / "raw", steps, 0), loader(folder / "raw", steps, 2)
        host, device = HostPixels(cache), DevicePixels(cache, IMAGES, torch.device("cpu"))
        contestants: dict[str, Callable[[], float]] = {
            "flip, rotation: ImageFolder, 0 workers": lambda: peer(none),
            "flip, rotation: ImageFolder, 2 workers": lambda: peer(two),
            "flip, rotation: ctexp": Ours(host, ROTATION),
            "flip, rotation: ctexp, torch on the processor": Ours(device, ROTATION),
            "flip, crop: the limit": lambda: limit(images),
            "flip, crop: ctexp": Ours(host, CROP),
        }
        for contestant in contestants.values():
            contestant()
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(ROUNDS):
            for name, contestant in contestants.items():
                rates[name].append(contestant())
    print(f"{len(os.sched_getaffinity(0))} cores, {ROUNDS} rounds")
    for name, values in rates.items():
        show(name, values)
    no_workers, two_workers, ours, _, bare, cropped = rates.values()
    alone = show_ratio("ctexp / ImageFolder, 0 workers", ours, no_workers)
    helped = show_ratio("ctexp / ImageFolder, 2 workers", ours, two_workers)
    limited = show_ratio("the limit / ctexp", bare, cropped)
    told("images/s / ImageFolder with no worker", alone, "", AIM_PEER, "at least")
    told("images/s / ImageFolder with 2 workers", helped, "", AIM_PEER, "at least")
    told("the limit's images/s / ours", limited, "", AIM_LIMIT, "at most")


if __name__ == "__main__":
    main()
