import numpy as np

from ctexp.data.draws import Purpose, bits, order, uniform


def test_an_order_visits_every_image_once_and_depends_on_seed_and_epoch_alone() -> None:
    np.testing.assert_array_equal(np.sort(order(42, 3, 1000)), np.arange(1000))
    np.testing.assert_array_equal(order(42, 3, 1000), order(42, 3, 1000))
    assert not np.array_equal(order(42, 3, 1000), order(42, 4, 1000))
    assert not np.array_equal(order(42, 3, 1000), order(43, 3, 1000))
    assert order(0, 0, 0).shape == (0,)


def test_orders_never_change_between_versions() -> None:
    assert order(42, 0, 8).tolist() == [0, 2, 6, 3, 5, 4, 7, 1]
    assert order(2**32 - 1, 7, 8).tolist() == [7, 4, 0, 6, 3, 5, 2, 1]


def test_every_place_is_equally_likely() -> None:
    firsts = np.bincount([order(seed, 0, 10)[0] for seed in range(4000)], minlength=10)

    # chi-square, 9 degrees of freedom: 99.9 % lie below 27.9
    assert ((firsts - 400) ** 2 / 400).sum() < 27.9


def test_a_row_is_the_same_however_many_are_drawn() -> None:
    many = uniform(1, 2, Purpose.AUGMENTATION, (50, 8))

    np.testing.assert_array_equal(uniform(1, 2, Purpose.AUGMENTATION, (7, 8)), many[:7])
    assert many.min() >= 0
    assert many.max() < 1


def test_purposes_and_indices_have_streams_of_their_own() -> None:
    streams = [bits(5, 1, purpose, index).random_raw(4).tolist() for purpose in Purpose for index in range(3)]

    assert len({tuple(stream) for stream in streams}) == len(streams)


def test_numbers_of_two_streams_are_independent() -> None:
    one, other = (uniform(5, 1, Purpose.AUGMENTATION, (4000, 1), index) for index in range(2))

    assert abs(np.corrcoef(one[:, 0], other[:, 0])[0, 1]) < 0.06  # its standard error is 0.016
