"""What an epoch shows, and how often."""

import numpy as np
import pytest

from ctexp.data.draws import order
from ctexp.data.sampling import ClassBalanced, Sampler, Uniform

COUNTS = (23, 9, 2, 5)
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), COUNTS)).astype(np.int64)
TOTAL = len(LABELS)


def epochs(sampler: Sampler, count: int) -> list[np.ndarray]:
    return [sampler.draws(epoch).images for epoch in range(count)]


def test_uniform_shows_every_image_once_in_the_order_it_always_had() -> None:
    for epoch in range(3):
        images, rows = Uniform(TOTAL, 42).draws(epoch)
        np.testing.assert_array_equal(images, order(42, epoch, TOTAL))
        np.testing.assert_array_equal(rows, images)
    assert Uniform(TOTAL, 42).rows == TOTAL


def test_class_balanced_shows_as_many_of_each_class() -> None:
    shown = epochs(ClassBalanced(LABELS, 42), 40)
    totals = np.zeros(4, int)
    for images in shown:
        classes = np.bincount(LABELS[images], minlength=4)
        assert classes.sum() == TOTAL
        assert np.ptp(classes) <= 1
        totals += classes
        assert np.ptp(totals) <= 1


def test_rare_images_come_again_only_after_all_of_their_class() -> None:
    for images in epochs(ClassBalanced(LABELS, 42), 10):
        for label, count in enumerate(COUNTS):
            times = np.bincount(images[LABELS[images] == label], minlength=TOTAL)[label == LABELS]
            assert np.ptp(times) <= 1, f"class {label} of {count}"


def test_no_image_is_left_out_for_long() -> None:
    shown = epochs(ClassBalanced(LABELS, 42), 60)
    per_epoch = TOTAL // 4
    enough = -(-max(COUNTS) // per_epoch) + 1
    for start in range(60 - enough):
        assert set(np.concatenate(shown[start : start + enough])) == set(range(TOTAL))
    times = np.bincount(np.concatenate(shown), minlength=TOTAL)
    for label in range(4):
        assert np.ptp(times[label == LABELS]) <= 1


def test_classes_are_shuffled_among_each_other_and_anew_each_epoch() -> None:
    first, second = epochs(ClassBalanced(LABELS, 42), 2)
    changes = (np.diff(LABELS[first]) != 0).sum()
    assert changes > TOTAL / 2
    assert (LABELS[first] != LABELS[second]).any()


def test_an_epoch_follows_from_seed_and_epoch_alone() -> None:
    sampler = ClassBalanced(LABELS, 42)
    epochs(sampler, 5)
    np.testing.assert_array_equal(sampler.draws(3), ClassBalanced(LABELS, 42).draws(3))
    assert (sampler.draws(3).images != ClassBalanced(LABELS, 43).draws(3).images).any()


def test_epochs_never_change_between_versions() -> None:
    assert ClassBalanced(LABELS, 42).draws(0).images[:6].tolist() == [36, 6, 20, 35, 14, 31]


@pytest.mark.parametrize("labels", [LABELS, np.array([0, 0, 0, 0, 0, 3]), np.array([2, 2, 2])])
def test_every_draw_has_a_row_of_its_own(labels: np.ndarray) -> None:
    sampler = ClassBalanced(labels.astype(np.int64), 1)
    for epoch in range(8):
        images, rows = sampler.draws(epoch)
        assert len(images) == len(labels)
        assert len(set(rows)) == len(rows)
        assert rows.max() < sampler.rows
        for image in set(images):
            assert image in rows[images == image]  # the first keeps the row that `Uniform` gives it
