import numpy as np
import pytest

from ctexp.data.resize import Resize, to_square

RNG = np.random.default_rng(3)


def test_padding_keeps_the_aspect_and_centres_on_black() -> None:
    wide = np.full((30, 60), 200, np.uint8)

    square = to_square(wide, 20, "pad")

    np.testing.assert_array_equal(square[:5], 0)
    np.testing.assert_array_equal(square[5:15], 200)
    np.testing.assert_array_equal(square[15:], 0)


def test_stretching_fills_the_square() -> None:
    np.testing.assert_array_equal(to_square(np.full((30, 60), 200, np.uint8), 20, "stretch"), 200)


def test_shrinking_averages_over_areas() -> None:
    image = RNG.integers(0, 256, (40, 80), dtype=np.uint8)
    expected = image.reshape(10, 4, 20, 4).mean(axis=(1, 3))

    square = to_square(image, 20, "pad")[5:15]

    assert np.abs(square - expected).max() <= 0.5 + 1e-9


def test_one_axis_can_shrink_while_the_other_grows() -> None:
    image = np.repeat(np.linspace(0, 240, 10).astype(np.uint8)[:, None], 400, axis=1)
    image[:, ::2] += 10  # stripes finer than the result: averaged away, not sampled

    square = to_square(image, 40, "stretch")

    assert square.std(axis=1).max() < 1e-9
    assert np.all(np.diff(square[:, 0].astype(int)) >= 0)


@pytest.mark.parametrize("resize", ["pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (900, 2), (64, 64), (23, 24)])
def test_every_shape_becomes_the_square(shape: tuple[int, int], resize: Resize) -> None:
    image = RNG.integers(0, 256, shape, dtype=np.uint8)

    square = to_square(image, 64, resize)

    assert square.shape == (64, 64)
    if shape == (64, 64):
        np.testing.assert_array_equal(square, image)
