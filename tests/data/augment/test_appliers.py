"""OpenCV on the host and torch on a device carry out the same plan within one grey level."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ctexp.data.augment import Amounts, Augmentation
from ctexp.data.augment.on_device import DeviceApplier
from ctexp.data.augment.on_host import HostApplier
from tests.data.augment.samples import ALL, DEVICES, OPTIONS, changed, smooth

SHAPES = [(33, 33), (96, 96), (224, 224), (47, 62), (16, 16)]
LARGEST = dict.fromkeys(OPTIONS, 1.0) | {"rotation": 180.0, "scale": 0.9, "elastic": 0.1, "jpeg": 0.99}
HOST = HostApplier()


def pictures(shape: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    """Two each of noise, blobs, halves of black and white, and flat ones: the hardest images to agree on."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (2, *shape), dtype=np.uint8)
    halves = np.zeros((2, *shape), np.uint8)
    halves[0, shape[0] // 2 :] = 255
    halves[1, :, ::2] = 255
    plain = np.broadcast_to(rng.integers(0, 256, (2, 1, 1)), (2, *shape)).astype(np.uint8)
    return np.concatenate([noise, smooth(2, *shape, seed=seed), halves, plain])


def difference(amounts: Amounts, images: NDArray[np.uint8], seed: int, device: str) -> NDArray[np.int64]:
    """Host minus device."""
    plan = Augmentation(amounts, images.shape[1:], seed, len(images)).plan(0, np.arange(len(images)))
    there = torch.from_numpy(images.copy()).to(device)
    on_device = DeviceApplier(torch.device(device)).apply(there, plan)
    np.testing.assert_array_equal(there.cpu(), images)
    assert on_device.dtype == torch.uint8
    HOST.apply(images, plan)
    apart: NDArray[np.int64] = images.astype(np.int64) - on_device.cpu().numpy()
    return apart


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("option", [*OPTIONS, "all"])
def test_nobody_waits_for_a_gpu(option: str) -> None:
    images = torch.from_numpy(pictures((96, 96))).cuda()
    amounts = ALL if option == "all" else Amounts(**{option: OPTIONS[option]})
    plan = Augmentation(amounts, (96, 96), 5, len(images)).plan(0, np.arange(len(images)))
    applier = DeviceApplier(torch.device("cuda"))
    torch.cuda.set_sync_debug_mode("error")
    try:
        applier.apply(images, plan)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("option", [*OPTIONS, "all"])
def test_each_option_alone_and_all_together(option: str, shape: tuple[int, int], device: str) -> None:
    amounts = ALL if option == "all" else Amounts(**{option: OPTIONS[option]})
    apart = difference(amounts, pictures(shape), 1, device)

    resampled = {"rotation", "scale", "translate", "elastic", "all"}
    assert np.abs(apart).max() <= (1 if option in resampled else 0)
    assert (apart != 0).mean() < 0.002  # values that lie half-way between two grey levels


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=60, deadline=None)
@given(
    amounts=st.fixed_dictionaries(
        {name: st.one_of(st.just(0.0), st.floats(1e-3, most)) for name, most in LARGEST.items()}
    ),
    shape=st.sampled_from([(33, 33), (96, 96), (47, 62), (16, 16)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_amounts_of_anything(
    device: str, amounts: dict[str, float], shape: tuple[int, int], seed: int
) -> None:
    apart = difference(Amounts(**amounts), pictures(shape, seed % 1000), seed, device)

    assert np.abs(apart).max() <= 1


@pytest.mark.parametrize("device", DEVICES)
def test_the_largest_images_too(device: str) -> None:
    for amounts in (Amounts(rotation=180.0, scale=0.5), Amounts(elastic=0.1, rotation=180.0)):
        images = np.random.default_rng(0).integers(0, 256, (2, 1024, 1024), dtype=np.uint8)
        assert np.abs(difference(amounts, images, 3, device)).max() <= 1


def test_no_images_are_no_images() -> None:
    nothing = np.zeros((0, 33, 33), np.uint8)
    plan = Augmentation(ALL, (33, 33), 0, 5).plan(0, np.array([], np.int64))

    assert changed(nothing, plan).shape == (0, 33, 33)


def test_a_device_applier_follows_the_noise_of_each_run() -> None:
    images = np.full((4, 33, 33), 128, np.uint8)
    applier = DeviceApplier(torch.device("cpu"))
    for amount in (0.01, 0.1):
        plan = Augmentation(Amounts(noise=amount), (33, 33), 0, 4).plan(0, np.arange(4))
        on_device = applier.apply(torch.from_numpy(images), plan)
        np.testing.assert_array_equal(on_device, changed(images, plan))
