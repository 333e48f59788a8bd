from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ctexp.config.schema.data import AugmentSettings
from ctexp.data.augment import Amounts, Plan
from ctexp.data.augment.plan import Affine, Slides, Surface, spline_basis
from ctexp.data.draws import Purpose, uniform
from tests.data.augment.samples import ALL, COUNT, EVERY, IMAGES, OPTIONS, apply, augmentation, changed

STREAMS = list(OPTIONS)
"""An option's place among all is its stream."""


def drawn(option: str, columns: int = 1, epoch: int = 0) -> NDArray[np.float64]:
    return uniform(42, epoch, Purpose.AUGMENTATION, (COUNT, columns), STREAMS.index(option))


def plan_of(amounts: Amounts, count: int = COUNT, epoch: int = 0, side: int = 64) -> Plan:
    grey = np.zeros((count, side, side), np.uint8)
    return augmentation(amounts, images=grey).plan(epoch, np.arange(count))


def flat(plan: Plan) -> list[NDArray[np.generic]]:
    """All arrays that belong to images, in one order."""
    steps = [plan.quality, plan.tables]
    steps += list(vars(plan.geometry).values()) if plan.geometry else []
    steps += [plan.noise.offsets] if plan.noise else []
    steps += list(vars(plan.patches).values()) if plan.patches else []
    return [step for step in steps if step is not None]


def test_amounts_settings_and_samples_name_the_same_options() -> None:
    mixing = {"mixup", "cutmix"}  # of two images, drawn elsewhere
    assert {field.name for field in fields(Amounts)} == set(OPTIONS)
    assert set(OPTIONS) == set(AugmentSettings.model_fields) - mixing
    assert asdict(Amounts()) == dict.fromkeys(OPTIONS, 0.0)


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_alone_changes_images_and_does_so_anew_each_epoch(option: str) -> None:
    first, second = (apply(Amounts(**{option: OPTIONS[option]}), epoch=epoch) for epoch in (0, 1))

    assert (first != IMAGES).any(axis=(1, 2)).mean() > (0.2 if OPTIONS[option] == 0.5 else 0.9)
    assert (first != second).any(axis=(1, 2)).mean() > 0.2


def test_an_option_draws_the_same_whatever_else_is_on() -> None:
    everything = plan_of(ALL)
    np.testing.assert_array_equal(everything.quality, plan_of(Amounts(jpeg=0.4)).quality)
    for one, other in zip(
        flat(replace(everything, quality=None, tables=None, geometry=None)),
        flat(plan_of(Amounts(noise=0.02, erasing=0.5))),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)

    rigid = plan_of(replace(ALL, elastic=0.0, scale=0.0, crop=0.0, brightness=0.0)).geometry
    turned = plan_of(Amounts(rotation=15.0, translate=0.1)).geometry
    slid = plan_of(Amounts(horizontal_flip=0.5, vertical_flip=0.5)).geometry
    assert isinstance(rigid, Affine)
    assert isinstance(turned, Affine)
    assert isinstance(slid, Slides)
    mirror = np.where(slid.flips, -1, 1)
    np.testing.assert_allclose(mirror[:, :, None] * turned.source[:, :, :2], rigid.source[:, :, :2])


def test_nothing_asked_for_is_nothing_done() -> None:
    plan = plan_of(Amounts())
    assert plan.is_empty
    np.testing.assert_array_equal(changed(IMAGES, plan), IMAGES)


def test_the_result_depends_on_seed_epoch_and_index_alone() -> None:
    whole = apply(ALL, epoch=5)
    batches = augmentation(ALL)
    shuffled = np.random.default_rng(0).permutation(COUNT)
    for size in (1, 5, COUNT):
        batches.plan(4, EVERY[:3])  # an epoch in between leaves no trace
        for start in range(0, COUNT, size):
            chosen = shuffled[start : start + size]
            part = changed(IMAGES[chosen], batches.plan(5, chosen))
            np.testing.assert_array_equal(part, whole[chosen])
    assert (apply(ALL, seed=43, epoch=5) != whole).any(axis=(1, 2)).all()


def test_two_images_of_the_same_content_are_changed_differently() -> None:
    twins = np.stack([IMAGES[0]] * COUNT)

    assert len({image.tobytes() for image in apply(ALL, images=twins)}) == COUNT


@pytest.mark.parametrize(("option", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_a_flip_is_exactly_a_flip(option: str, axis: int) -> None:
    np.testing.assert_array_equal(apply(Amounts(**{option: 1.0})), np.flip(IMAGES, axis))

    some = apply(Amounts(**{option: 0.5}))
    flipped = (some == np.flip(IMAGES, axis)).all(axis=(1, 2))
    np.testing.assert_array_equal(some[~flipped], IMAGES[~flipped])
    assert 4 < flipped.sum() < 20


def test_a_crop_is_a_window_of_the_padded_image() -> None:
    plan = augmentation(Amounts(crop=0.1)).plan(0, EVERY)
    assert isinstance(plan.geometry, Slides)
    assert np.abs(plan.geometry.shifts).max(axis=0).tolist() == [6, 5]
    for image, result, (right, down) in zip(
        IMAGES, apply(Amounts(crop=0.1)), plan.geometry.shifts, strict=True
    ):
        padded = np.pad(image, ((5, 5), (6, 6)))
        np.testing.assert_array_equal(result, padded[5 - down :, 6 - right :][:48, :64])


def test_the_smallest_crop_still_moves_images() -> None:
    assert (apply(Amounts(crop=0.001)) != IMAGES).any(axis=(1, 2)).mean() > 0.5


@pytest.mark.parametrize(
    "amounts",
    [
        Amounts(rotation=40.0),
        Amounts(scale=0.4),
        Amounts(translate=0.3),
        Amounts(rotation=180.0, scale=0.3, translate=0.1, horizontal_flip=0.5, vertical_flip=0.5),
    ],
    ids=["rotation", "scale", "translate", "all"],
)
def test_the_geometry_is_that_of_an_independent_reference(amounts: Amounts) -> None:
    centre = np.array([(48 - 1) / 2, (64 - 1) / 2])  # (y, x), as scipy counts
    mirrored = np.concatenate([drawn("vertical_flip"), drawn("horizontal_flip")], axis=1) < [
        amounts.vertical_flip,
        amounts.horizontal_flip,
    ]
    angles = np.deg2rad((2 * drawn("rotation")[:, 0] - 1) * amounts.rotation)
    factors = 1 + (2 * drawn("scale")[:, 0] - 1) * amounts.scale
    shifts = (2 * drawn("translate", 2)[:, ::-1] - 1) * amounts.translate * np.array([48, 64])
    for image, result, flipped, angle, factor, shift in zip(
        IMAGES, apply(amounts), mirrored, angles, factors, shifts, strict=True
    ):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        inverse = np.linalg.inv(factor * turn @ np.diag(np.where(flipped, -1.0, 1.0)))
        # One row and column of padding: the outermost pixels blend with the black around them.
        offset = centre - inverse @ (centre + shift) + 1
        padded = np.pad(image.astype(float), 1)
        reference = ndimage.affine_transform(padded, inverse, offset, output_shape=(48, 64), order=1)
        assert np.abs(result - reference).max() <= 0.51


def test_elastic_maps_are_smooth_bounded_and_never_fold() -> None:
    plan = plan_of(Amounts(elastic=0.1), count=300)
    assert isinstance(plan.geometry, Surface)
    basis = spline_basis(64)
    x, y = (basis @ plan.geometry.controls @ basis.T).transpose(1, 0, 2, 3)
    rows, columns = np.mgrid[0:64, 0:64]

    assert 0.05 * 64 < np.abs(x - columns).max() <= 0.1 * 64
    assert 0.05 * 64 < np.abs(y - rows).max() <= 0.1 * 64
    (x_down, x_right), (y_down, y_right) = np.gradient(x, axis=(1, 2)), np.gradient(y, axis=(1, 2))
    assert (x_right * y_down - x_down * y_right).min() > 0
    assert np.abs(np.diff(x, 2, axis=2)).max() < 0.1  # pixels a pixel squared

    still = augmentation(Amounts(elastic=1e-9)).plan(0, EVERY)
    np.testing.assert_array_equal(changed(IMAGES, still), IMAGES)


def test_elastic_joins_the_affine_map_in_one_resampling() -> None:
    turned = apply(Amounts(rotation=15.0, horizontal_flip=0.5, crop=0.1))
    bent = apply(Amounts(rotation=15.0, horizontal_flip=0.5, crop=0.1, elastic=1e-9))

    assert np.abs(turned.astype(int) - bent).max() <= 1


@pytest.mark.parametrize("more", [{"elastic": 0.05}, {"crop": 0.2}, {}])
def test_what_comes_into_sight_is_as_black_as_padding(more: dict[str, float]) -> None:
    white = np.full((COUNT, 48, 64), 255, np.uint8)
    white[:, :, :12] = white[:, :, -12:] = 0  # what a narrow image is padded with
    amounts = Amounts(rotation=45.0, **more)

    turned = apply(amounts, images=white)
    assert (turned[:, 0, 0] == 0).mean() > 0.9
    assert (turned[:, 22:26, 30:34] == 255).all()

    # Lighter and flatter, but without a border between what was padded and what came into sight.
    shades = replace(amounts, brightness=0.3, contrast=0.3)
    lighter = apply(shades, images=white)
    tables = augmentation(shades).plan(0, EVERY).tables
    assert tables is not None
    np.testing.assert_array_equal(
        lighter[turned == 0], np.broadcast_to(tables[:, 0, None, None], turned.shape)[turned == 0]
    )


def test_brightness_contrast_and_gamma_follow_their_formula() -> None:
    shift = (2 * drawn("brightness")[:, :, None] - 1) * 0.2 * 255
    factor = 1 + (2 * drawn("contrast")[:, :, None] - 1) * 0.3
    power = 1.5 ** (2 * drawn("gamma")[:, :, None] - 1)
    stretched = ((IMAGES - 127.5) * factor + 127.5 + shift).clip(0, 255)

    assert np.abs(apply(Amounts(brightness=0.2, contrast=0.3)) - stretched).max() <= 0.5
    both = apply(Amounts(brightness=0.2, contrast=0.3, gamma=0.5))
    assert np.abs(both - 255 * (stretched / 255) ** power).max() <= 0.5 + 1e-9
    assert (power.min(), power.max()) == pytest.approx((1 / 1.5, 1.5), rel=0.1)


def test_jpeg_qualities_are_those_asked_for() -> None:
    assert set(qualities(0.3)) == set(range(70, 101))
    assert set(qualities(0.001)) == {99, 100}
    assert min(qualities(0.99)) == 1


def qualities(jpeg: float) -> list[int]:
    plan = plan_of(Amounts(jpeg=jpeg), count=2000)
    assert plan.quality is not None
    return [int(quality) for quality in plan.quality]


@pytest.mark.parametrize("amount", [0.01, 0.05])
def test_noise_has_the_spread_asked_for(amount: float) -> None:
    grey = np.full((COUNT, 48, 64), 128, np.uint8)

    noise = apply(Amounts(noise=amount), images=grey).astype(float) - 128

    # 73,728 draws: the mean's standard error is 0.004 of the deviation, that of the deviation 0.003
    expected = np.sqrt((amount * 255) ** 2 + 1 / 12)  # rounded to whole grey levels
    assert abs(noise.mean()) < 0.015 * expected
    assert noise.std() == pytest.approx(expected, rel=0.012)
    assert np.abs(np.corrcoef(noise.reshape(COUNT, -1)) - np.eye(COUNT)).max() < 0.1


def test_noise_is_white_and_another_piece_for_every_image_and_epoch() -> None:
    plans = [plan_of(Amounts(noise=0.05), count=500, epoch=epoch) for epoch in range(4)]
    noises = [plan.noise for plan in plans if plan.noise]
    bank = noises[0].bank.astype(float)
    offsets = np.concatenate([noise.offsets for noise in noises])

    # A million draws: a correlation's standard error is 0.001
    for lag in (1, 2, 63, 64, 65, 4096):
        assert abs(np.corrcoef(bank[:-lag], bank[lag:])[0, 1]) < 0.005
    share_beyond_three = (np.abs(bank) > 3 * 0.05 * 255).mean()
    assert share_beyond_three == pytest.approx(0.0027, rel=0.1)
    assert len(np.unique(offsets)) >= 1998
    assert offsets.max() + 64 * 64 <= len(bank)
    counts, _ = np.histogram(offsets, 10, (0, len(bank)))
    # chi-square, 9 degrees of freedom: 99.9 % lie below 27.9
    assert ((counts - 200) ** 2 / 200).sum() < 27.9
    other = plan_of(Amounts(noise=0.05), count=500).noise
    assert other is not None
    np.testing.assert_array_equal(other.bank, noises[0].bank)


def test_erasing_blanks_rectangles_of_the_published_sizes() -> None:
    plan = plan_of(Amounts(erasing=0.4), count=4000, side=200)
    assert plan.patches is not None
    top, bottom, left, right = plan.patches.boxes.T
    erased = bottom > top

    assert erased.mean() == pytest.approx(0.4, abs=0.03)
    assert top.min() >= 0
    assert left.min() >= 0
    assert max(bottom.max(), right.max()) == 200
    height, width = (bottom - top)[erased], (right - left)[erased]
    area = height * width / 200**2
    assert 0.018 < area.min() < 0.03
    assert 0.31 < area.max() < 0.335
    whole = (height < 200) & (width < 200)
    ratio = (height / width)[whole]
    assert 0.28 < ratio.min() < 0.32
    assert 3.1 < ratio.max() < 3.5
    assert np.log(ratio).mean() == pytest.approx(0, abs=0.06)
    assert plan.patches.levels.min() == 0
    assert plan.patches.levels.max() == 255


def test_an_erased_rectangle_is_flat_and_the_rest_untouched() -> None:
    amounts = Amounts(erasing=1.0)
    plan = augmentation(amounts).plan(0, EVERY)
    assert plan.patches is not None
    for image, result, (top, bottom, left, right), level in zip(
        IMAGES, apply(amounts), plan.patches.boxes, plan.patches.levels, strict=True
    ):
        expected = image.copy()
        expected[top:bottom, left:right] = level
        np.testing.assert_array_equal(result, expected)


def test_amounts_are_spread_evenly_over_their_range() -> None:
    brighter = augmentation(Amounts(brightness=0.2))
    tables = [brighter.plan(epoch, EVERY).tables for epoch in range(200)]
    shifts = np.concatenate([table[:, 128] for table in tables if table is not None]).astype(float) - 128

    assert (shifts.min(), shifts.max()) == (-51, 51)
    counts, _ = np.histogram(shifts, 10, (-51, 51))
    # chi-square, 9 degrees of freedom: 99.9 % lie below 27.9
    assert ((counts - 480) ** 2 / 480).sum() < 27.9
