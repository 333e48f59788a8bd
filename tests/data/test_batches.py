"""What reaches training, from decoded images on disk, wherever the pixels are."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from ctexp.data.augment import Amounts, Augmentation
from ctexp.data.batches import Batch, EvalBatches, TrainBatches
from ctexp.data.cache import ImageCache
from ctexp.data.mixing import Mixing, Overlay
from ctexp.data.pixels import DevicePixels, HostPixels, Pixels
from ctexp.data.sampling import ClassBalanced
from tests.data.augment.samples import ALL, DEVICES, OPTIONS
from tests.data.test_cache import make_set

SIZE, COUNT = 32, 21
LABELS = np.arange(COUNT) % 4
FEATURES = np.arange(COUNT * 3, dtype=np.float32).reshape(COUNT, 3)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> ImageCache:
    folder = tmp_path_factory.mktemp("data")
    return ImageCache.open(folder, folder / "raw", make_set(folder / "raw", COUNT), SIZE, "pad")


@pytest.fixture(params=["host", *DEVICES])
def pixels(request: pytest.FixtureRequest, cache: ImageCache) -> Pixels:
    if request.param == "host":
        return HostPixels(cache)
    return DevicePixels(cache, COUNT, torch.device(request.param))


def training(pixels: Pixels, amounts: Amounts, batch_size: int = 8) -> TrainBatches:
    augmentation = Augmentation(amounts, (SIZE, SIZE), 5, COUNT)
    return TrainBatches(pixels, LABELS, augmentation, batch_size, 5, FEATURES)


def shown(batches: TrainBatches, epoch: int) -> NDArray[np.uint8]:
    """The inputs of an epoch, in the order of the split, found by their features."""
    batches.set_epoch(epoch)
    images = np.zeros((COUNT, SIZE, SIZE), np.uint8)
    for batch in batches:
        assert batch.features is not None
        images[(batch.features[:, 0] / 3).long()] = batch.images[:, 0].cpu()
    return images


@pytest.mark.parametrize("option", [*OPTIONS, "all"])
def test_every_option_changes_the_inputs_of_training_and_anew_each_epoch(
    pixels: Pixels, cache: ImageCache, option: str
) -> None:
    amounts = ALL if option == "all" else Amounts(**{option: OPTIONS[option]})
    batches = training(pixels, amounts)

    first, second, none = shown(batches, 0), shown(batches, 1), cache.take(np.arange(COUNT))

    for one, other in ((first, none), (second, none), (first, second)):
        assert (one != other).any(axis=(1, 2)).mean() > 0.2
    np.testing.assert_array_equal(shown(training(pixels, amounts, batch_size=5), 0), first)


def test_without_augmentation_training_sees_the_cached_images(pixels: Pixels, cache: ImageCache) -> None:
    np.testing.assert_array_equal(shown(training(pixels, Amounts()), 3), cache.take(np.arange(COUNT)))


def test_batches_are_even_and_hold_every_image_with_what_belongs_to_it(pixels: Pixels) -> None:
    batches = list(training(pixels, Amounts()))

    assert [len(batch.labels) for batch in batches] == [7, 7, 7]
    for images, labels, features, _ in batches:
        assert features is not None
        assert (images.dtype, labels.dtype, features.dtype) == (torch.uint8, torch.int64, torch.float32)
        assert images.shape == (7, 1, SIZE, SIZE)
        np.testing.assert_array_equal(labels, LABELS[(features[:, 0] / 3).long()])
        np.testing.assert_array_equal(features[:, 2], features[:, 0] + 2)


def test_validation_sees_images_as_they_are_and_in_order(pixels: Pixels, cache: ImageCache) -> None:
    batches = list(EvalBatches(pixels, LABELS, 8, FEATURES))

    assert [len(batch.labels) for batch in batches] == [8, 8, 5]
    images = torch.cat([batch.images for batch in batches]).cpu()
    np.testing.assert_array_equal(images[:, 0], cache.take(np.arange(COUNT)))
    np.testing.assert_array_equal(torch.cat([batch.labels for batch in batches]), LABELS)
    np.testing.assert_array_equal(
        np.concatenate([batch.features for batch in batches if batch.features is not None]), FEATURES
    )
    assert all(batch.features is None for batch in EvalBatches(pixels, LABELS, 8))


def test_a_batch_may_be_changed_and_kept(pixels: Pixels, cache: ImageCache) -> None:
    for amounts in (Amounts(), ALL):
        batches = training(pixels, amounts)
        kept = [batch.images.clone() for batch in batches]
        batches.load_state_dict({"epoch": 0, "position": 0})
        for batch, before in zip(list(batches), kept, strict=True):
            torch.testing.assert_close(batch.images, before, rtol=0, atol=0)
            batch.images.zero_()
    for batch in EvalBatches(pixels, LABELS, 8):
        batch.images.zero_()
    assert cache.take(np.arange(COUNT)).any(axis=(1, 2)).all()
    assert all(batch.images.any() for batch in EvalBatches(pixels, LABELS, 8))


def test_an_interrupted_epoch_goes_on_with_the_batch_that_was_next(pixels: Pixels) -> None:
    whole = training(pixels, ALL, batch_size=4)
    whole.set_epoch(2)
    stopped = training(pixels, ALL, batch_size=4)
    stopped.set_epoch(2)
    rest = training(pixels, ALL, batch_size=4)
    for number, _ in enumerate(stopped):
        if number == 1:
            break
    rest.load_state_dict(stopped.state_dict())
    rest.set_epoch(2)

    for one, other in zip(list(whole)[2:], rest, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_who_looks_again_sees_the_whole_epoch_and_leaves_it_where_it_stands(pixels: Pixels) -> None:
    batches = training(pixels, ALL, batch_size=4)
    batches.set_epoch(2)
    whole = list(batches.again())
    handed_out = iter(batches)
    torch.testing.assert_close(next(handed_out), whole[0], rtol=0, atol=0)
    torch.testing.assert_close(list(batches.again()), whole, rtol=0, atol=0)
    assert batches.state_dict() == {"epoch": 2, "position": 1}
    torch.testing.assert_close(list(handed_out), whole[1:], rtol=0, atol=0)


def test_an_interrupted_epoch_of_mixed_and_sampled_batches_goes_on_likewise(pixels: Pixels) -> None:
    def made() -> TrainBatches:
        sampler = ClassBalanced(np.where(np.arange(COUNT) < 15, 0, LABELS), 5)
        augmentation = Augmentation(ALL, (SIZE, SIZE), 5, sampler.rows)
        mixing = Mixing(1.0, 1.0, (SIZE, SIZE), 5)
        return TrainBatches(pixels, LABELS, augmentation, 4, 5, FEATURES, sampler=sampler, mixing=mixing)

    whole, rest = made(), made()
    rest.load_state_dict({"epoch": 3, "position": 2})
    rest.set_epoch(3)
    whole.set_epoch(3)
    torch.testing.assert_close(list(rest), list(whole)[2:], rtol=0, atol=0)


def test_what_was_mixed_in_goes_to_the_device_with_the_batch() -> None:
    images, labels = torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)
    batch = Batch(images, labels).mixed(Overlay(0.5))
    moved = pl.LightningModule().transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved.mix is not None
    assert {tensor.device.type for tensor in (moved.images, *moved.mix)} == {"meta"}


def test_lightning_leaves_alone_what_is_on_the_device_already() -> None:
    module = pl.LightningModule()
    images, labels = torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)
    for features in (None, torch.zeros(2, 3)):
        batch = Batch(images, labels, features)
        moved = module.transfer_batch_to_device(batch, torch.device("cpu"), 0)
        assert isinstance(moved, Batch)
        assert moved.images.data_ptr() == images.data_ptr()
        assert (moved.features is None) == (features is None)
