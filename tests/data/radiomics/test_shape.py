"""Outlines against closed forms."""

import math

import numpy as np
import pytest

from ctexp.data.radiomics.body import Mask
from ctexp.data.radiomics.shape import Shape, measure
from tests.data.radiomics.pictures import ellipse, only


def rectangle(height: int, width: int) -> Mask:
    mask = np.zeros((height + 40, width + 60), bool)
    mask[20 : 20 + height, 10 : 10 + width] = True
    return mask


def test_a_disc() -> None:
    shape = measure(only(ellipse((200, 300), 100, 150, 80, 80)))

    assert shape.area == pytest.approx(math.pi * 80**2 / (200 * 300), rel=0.005)
    assert shape.aspect == 1
    assert shape.eccentricity == pytest.approx(0, abs=0.01)
    assert shape.extent == pytest.approx(math.pi / 4, rel=0.02)
    assert shape.solidity == pytest.approx(1, abs=0.015)
    assert shape.circularity == pytest.approx(1, rel=0.03)
    assert shape.convexity == pytest.approx(1, rel=0.03)
    assert shape.inertia == pytest.approx(1 / (2 * math.pi), rel=0.005)
    assert shape.symmetry == 1


def test_an_ellipse() -> None:
    a, b = 120, 60
    shape = measure(only(ellipse((200, 300), 100, 150, b, a)))

    perimeter = math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))  # Ramanujan
    assert shape.aspect == pytest.approx(a / b, rel=0.01)
    assert shape.eccentricity == pytest.approx(math.sqrt(1 - b**2 / a**2), rel=0.005)
    assert shape.extent == pytest.approx(math.pi / 4, rel=0.02)
    assert shape.circularity == pytest.approx(4 * math.pi * math.pi * a * b / perimeter**2, rel=0.03)
    assert shape.inertia == pytest.approx((a**2 + b**2) / (4 * math.pi * a * b), rel=0.005)


def test_a_rectangle() -> None:
    height, width = 60, 120
    mask = rectangle(height, width)
    shape = measure(only(mask))

    assert shape.area == pytest.approx(height * width / mask.size)
    assert (shape.aspect, shape.extent, shape.symmetry) == (2, 1, 1)
    assert shape.solidity == pytest.approx(1, rel=1e-12)
    assert shape.eccentricity == pytest.approx(math.sqrt(1 - height**2 / width**2), rel=1e-3)
    assert shape.inertia == pytest.approx((height**2 + width**2) / (12 * height * width), rel=1e-3)
    # Crofton's estimate of a perimeter along the grid is up to 6 % off
    assert shape.circularity == pytest.approx(math.pi * height * width / (height + width) ** 2, rel=0.13)
    assert shape.convexity == pytest.approx(1, rel=0.06)


def test_a_notch_makes_it_less_solid_and_less_convex() -> None:
    mask = rectangle(100, 100)
    mask[20:70, 30:50] = False  # from above, 50 deep and 20 wide

    shape = measure(only(mask))

    assert shape.solidity == pytest.approx(1 - 50 * 20 / 100**2)
    assert shape.convexity == pytest.approx(400 / 500, rel=0.06)
    assert shape.symmetry < 1


def test_a_shape_beside_its_mirror_image() -> None:
    mask = np.zeros((20, 60), bool)
    mask[5:15, 10:40] = True
    mask[5:10, 40:50] = True  # an arm: 350 pixels, centroid at column (300 * 24.5 + 50 * 44.5) / 350 = 27.36

    # mirrored at column 27.5, columns 10..40 become 15..45 and 40..50 become 5..15
    overlap = 10 * 25 + 2 * 5 * 5
    assert measure(only(mask)).symmetry == pytest.approx(overlap / 350)


def test_a_body_that_fills_the_picture_has_an_outline() -> None:
    shape = measure(only(np.ones((50, 50), bool)))

    assert (shape.area, shape.extent, shape.aspect) == (1, 1, 1)
    assert shape.circularity == pytest.approx(math.pi / 4, rel=0.13)


def test_a_pixel_is_a_square_and_nothing_is_nothing() -> None:
    mask = np.zeros((9, 9), bool)
    assert measure(only(mask)) == Shape()

    mask[4, 4] = True
    shape = measure(only(mask))
    assert (shape.aspect, shape.extent, shape.solidity, shape.eccentricity) == (1, 1, 1, 0)
    assert all(map(math.isfinite, vars(shape).values()))
