"""What a device makes of an image is what libjpeg makes of it, through Pillow and through OpenCV."""

from io import BytesIO

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ctexp.data.augment import Amounts, Augmentation
from ctexp.data.augment.jpeg import recompressed
from tests.data.augment.samples import DEVICES, changed, smooth


def by_pillow(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def samples(height: int, width: int) -> list[NDArray[np.uint8]]:
    noise = np.random.default_rng(5).integers(0, 256, (height, width), dtype=np.uint8)
    bars = np.zeros((height, width), np.uint8)
    bars[:, ::3] = 255
    return [noise, smooth(1, height, width)[0], bars, np.full((height, width), 77, np.uint8)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(48, 40), (33, 41), (9, 7)], ids=str)
def test_a_device_gives_pillows_pixels_at_every_quality(shape: tuple[int, int], device: str) -> None:
    quality = np.arange(1, 101)
    for image in samples(*shape):
        copies = torch.from_numpy(np.stack([image] * 100)).to(device)
        ours = recompressed(copies, torch.from_numpy(quality).to(device)).cpu().numpy()
        np.testing.assert_array_equal(ours, [by_pillow(image, int(q)) for q in quality])


def test_the_host_gives_pillows_pixels() -> None:
    images = np.stack([image for image in samples(33, 41) for _ in range(6)])
    plan = Augmentation(Amounts(jpeg=0.99), (33, 41), 0, len(images)).plan(0, np.arange(len(images)))
    assert plan.quality is not None

    expected = [by_pillow(image, int(q)) for image, q in zip(images, plan.quality, strict=True)]
    np.testing.assert_array_equal(changed(images, plan), expected)
