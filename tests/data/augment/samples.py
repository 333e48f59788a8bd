"""Images to augment, and every option with an amount that shows."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ctexp.data.augment import Amounts, Augmentation, Plan
from ctexp.data.augment.on_host import HostApplier

OPTIONS = {
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "rotation": 15.0,
    "scale": 0.1,
    "translate": 0.1,
    "crop": 0.1,
    "elastic": 0.05,
    "brightness": 0.1,
    "contrast": 0.2,
    "gamma": 0.3,
    "jpeg": 0.4,
    "noise": 0.02,
    "erasing": 0.5,
}
ALL = Amounts(**OPTIONS)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def smooth(count: int, height: int, width: int, seed: int = 11) -> NDArray[np.uint8]:
    """Blobs of all grey levels, shape (count, height, width)."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (count, height, width), dtype=np.uint8)
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in noise]).astype(float)
    return (blurred * 4 - 384).clip(0, 255).astype(np.uint8)


COUNT = 24
EVERY = np.arange(COUNT)
IMAGES = smooth(COUNT, 48, 64)


def augmentation(amounts: Amounts, seed: int = 42, images: NDArray[np.uint8] = IMAGES) -> Augmentation:
    """For images such as these."""
    return Augmentation(amounts, (images.shape[1], images.shape[2]), seed, len(images))


def apply(
    amounts: Amounts, seed: int = 42, epoch: int = 0, images: NDArray[np.uint8] = IMAGES
) -> NDArray[np.uint8]:
    """All images of a split as an epoch shows them."""
    plan = augmentation(amounts, seed, images).plan(epoch, np.arange(len(images)))
    return changed(images, plan)


def changed(images: NDArray[np.uint8], plan: Plan) -> NDArray[np.uint8]:
    """What the host's applier makes of a copy."""
    copy = images.copy()
    HostApplier().apply(copy, plan)
    return copy
