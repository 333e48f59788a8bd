"""The data path's peer: ImageFolder, torchvision's transforms and DataLoader, on files as people have."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from ctexp.core.classes import CLASSES
from ctexp.data.catalog import ImageRow
from tests.data.rows import row

SIDE = 224
BATCH = 32
MEAN, STD = 0.449, 0.226


def make_files(folder: Path, count: int) -> list[ImageRow]:
    """Pictures of about 430 × 285 pixels and 120 KB, PNG, most of them RGBA, in class folders; their rows."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(count):
        height, width = int(rng.integers(255, 316)), int(rng.integers(385, 476))
        blobs = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 12)
        grey = 110 + blobs * (90 / np.abs(blobs).max()) + rng.normal(0, 5, blobs.shape)
        name = f"{CLASSES[number % len(CLASSES)]}/{number:04}.png"
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = "RGB" if number % 5 == 0 else "RGBA"
        Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert(mode).save(file)
        rows.append(row(name, file.read_bytes()))
    return rows


def loader(
    folder: Path, augmentation: Sequence[object], workers: int, side: int = SIDE
) -> DataLoader[tuple[torch.Tensor, int]]:
    """Batches of normalised float32 images (B, 1, side, side), shuffled; workers stay between epochs."""
    steps = [
        transforms.Grayscale(1),
        transforms.Resize((side, side)),
        *augmentation,
        transforms.ToTensor(),
        transforms.Normalize([MEAN], [STD]),
    ]
    return DataLoader(
        datasets.ImageFolder(folder, transforms.Compose(steps)),
        batch_size=BATCH,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
