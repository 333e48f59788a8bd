import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ctexp.data.augment import Augmentation
from ctexp.data.draws import Purpose, uniform

OPTIONS = {
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "rotation": 15.0,
    "scale": 0.1,
    "translate": 0.1,
    "brightness": 0.1,
    "contrast": 0.2,
    "noise": 0.02,
}
OFF = dict.fromkeys(OPTIONS, 0.0)
COUNT = 24
EVERY = np.arange(COUNT)
IMAGES = np.stack(
    [
        cv2.GaussianBlur(image, (0, 0), 2)
        for image in np.random.default_rng(11).integers(0, 256, (COUNT, 48, 64), dtype=np.uint8)
    ]
)
IMAGES = (IMAGES.astype(float) * 4 - 384).clip(0, 255).astype(np.uint8)
DRAWN = uniform(42, 0, Purpose.AUGMENTATION, (COUNT, 8))
"""Horizontal and vertical flip, rotation, scale, shift in x and y, brightness, contrast."""


def augmentation(options: dict[str, float], seed: int = 42) -> Augmentation:
    return Augmentation(**(OFF | options), seed=seed, count=COUNT)


def apply(options: dict[str, float], seed: int = 42, epoch: int = 0) -> NDArray[np.uint8]:
    return augmentation(options, seed).apply(IMAGES, epoch, EVERY)


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_alone_changes_images_and_does_so_anew_each_epoch(option: str) -> None:
    original = IMAGES.copy()
    first, second = (apply({option: OPTIONS[option]}, epoch=epoch) for epoch in (0, 1))

    changed = (first != IMAGES).any(axis=(1, 2))
    assert changed.mean() > (0.2 if "flip" in option else 0.9)
    assert (first != second).any(axis=(1, 2)).mean() > 0.2
    np.testing.assert_array_equal(IMAGES, original)


@pytest.mark.parametrize("first", ["horizontal_flip", "rotation", "scale", "translate"])
@pytest.mark.parametrize("then", ["brightness", "contrast", "noise"])
def test_an_option_draws_the_same_whatever_else_is_on(first: str, then: str) -> None:
    both = {first: OPTIONS[first], then: OPTIONS[then]}

    one_after_the_other = augmentation({then: OPTIONS[then]}).apply(apply({first: OPTIONS[first]}), 0, EVERY)

    np.testing.assert_array_equal(apply(both), one_after_the_other)


def test_nothing_asked_for_is_nothing_done() -> None:
    assert augmentation({}).apply(IMAGES, 0, EVERY) is IMAGES


def test_the_result_depends_on_seed_epoch_and_index_alone() -> None:
    whole = apply(OPTIONS, epoch=5)
    batches = augmentation(OPTIONS)
    shuffled = np.random.default_rng(0).permutation(COUNT)
    for size in (1, 5, COUNT):
        batches.apply(IMAGES[:3], 4, EVERY[:3])  # an epoch in between leaves no trace
        for start in range(0, COUNT, size):
            chosen = shuffled[start : start + size]
            np.testing.assert_array_equal(batches.apply(IMAGES[chosen], 5, chosen), whole[chosen])
    assert (apply(OPTIONS, seed=43, epoch=5) != whole).any(axis=(1, 2)).all()


def test_two_images_of_the_same_content_are_changed_differently() -> None:
    twins = np.stack([IMAGES[0]] * COUNT)

    changed = augmentation(OPTIONS).apply(twins, 0, EVERY)

    assert len({image.tobytes() for image in changed}) == COUNT


@pytest.mark.parametrize(("option", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_a_flip_is_exactly_a_flip(option: str, axis: int) -> None:
    np.testing.assert_array_equal(apply({option: 1.0}), np.flip(IMAGES, axis))

    some = apply({option: 0.5})
    flipped = (some == np.flip(IMAGES, axis)).all(axis=(1, 2))
    np.testing.assert_array_equal(some[~flipped], IMAGES[~flipped])
    assert 4 < flipped.sum() < 20


@pytest.mark.parametrize(
    "options",
    [
        {"rotation": 40.0},
        {"scale": 0.4},
        {"translate": 0.3},
        {"rotation": 90.0, "scale": 0.3, "translate": 0.1, "horizontal_flip": 0.5, "vertical_flip": 0.5},
    ],
    ids=["rotation", "scale", "translate", "all"],
)
def test_the_geometry_is_that_of_an_independent_reference(options: dict[str, float]) -> None:
    asked = OFF | options
    centre = np.array([(48 - 1) / 2, (64 - 1) / 2])  # (y, x), as scipy counts
    for image, result, draw in zip(IMAGES, apply(options), DRAWN, strict=True):
        flipped = draw[[1, 0]] < [asked["vertical_flip"], asked["horizontal_flip"]]
        angle = np.deg2rad((2 * draw[2] - 1) * asked["rotation"])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        factor = 1 + (2 * draw[3] - 1) * asked["scale"]
        shift = (2 * draw[[5, 4]] - 1) * asked["translate"] * np.array([48, 64])
        inverse = np.linalg.inv(factor * turn @ np.diag(np.where(flipped, -1.0, 1.0)))
        # One row and column of padding: OpenCV blends the outermost pixels with the black around them.
        offset = centre - inverse @ (centre + shift) + 1
        padded = np.pad(image.astype(float), 1)
        reference = ndimage.affine_transform(padded, inverse, offset, output_shape=(48, 64), order=1)
        assert np.abs(result - reference).max() <= 6
        assert np.abs(result - reference).mean() <= 0.6


def test_what_comes_into_sight_is_black() -> None:
    white = np.full((COUNT, 48, 64), 255, np.uint8)

    turned = augmentation({"rotation": 45.0}).apply(white, 0, EVERY)

    assert (turned == 0).any(axis=(1, 2)).mean() > 0.8
    assert (turned[:, 20:28, 28:36] == 255).all()


def test_brightness_and_contrast_follow_their_formula() -> None:
    options = {"brightness": 0.2, "contrast": 0.3}
    shift = (2 * DRAWN[:, 6] - 1)[:, None, None] * 0.2 * 255
    factor = 1 + (2 * DRAWN[:, 7] - 1)[:, None, None] * 0.3

    expected = ((IMAGES - 127.5) * factor + 127.5 + shift).clip(0, 255)

    assert np.abs(apply(options) - expected).max() <= 0.5


def test_noise_has_the_spread_asked_for() -> None:
    grey = np.full((COUNT, 48, 64), 128, np.uint8)

    noise = augmentation({"noise": 0.05}).apply(grey, 0, EVERY).astype(float) - 128

    # 73,728 draws: the mean's standard error is 0.05 grey levels, that of the deviation 0.03
    assert abs(noise.mean()) < 0.2
    assert abs(noise.std() - 0.05 * 255) < 0.15
    assert np.abs(np.corrcoef(noise.reshape(COUNT, -1)) - np.eye(COUNT)).max() < 0.1


def test_amounts_are_spread_evenly_over_their_range() -> None:
    grey = np.full((COUNT, 1, 1), 128, np.uint8)
    brighter = augmentation({"brightness": 0.2})
    shifts = (
        np.concatenate([brighter.apply(grey, epoch, EVERY).ravel() for epoch in range(200)]).astype(float)
        - 128
    )

    assert (shifts.min(), shifts.max()) == (-51, 51)
    counts, _ = np.histogram(shifts, 10, (-51, 51))
    # chi-square, 9 degrees of freedom: 99.9 % lie below 27.9
    assert ((counts - 480) ** 2 / 480).sum() < 27.9
