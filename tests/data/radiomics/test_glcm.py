"""Haralick's features against mahotas and against his own example."""

import mahotas
import numpy as np
import pytest

from ctexp.data.radiomics.body import Body, find_body
from ctexp.data.radiomics.glcm import Glcm, measure
from tests.data.radiomics.pictures import chest, noise, whole


def by_mahotas(body: Body) -> list[float]:
    """The same, of the same bins; 0 is what lies outside."""
    bins = np.where(body.mask, body.grey // 8 + 1, 0)
    features = mahotas.features.haralick(
        bins, ignore_zeros=True, use_x_minus_y_variance=True, return_mean=True
    )
    return [float(feature) for feature in features]


@pytest.mark.parametrize("grey", [chest(), noise(1), noise(2, 90, 30)], ids=["chest", "noise", "upright"])
def test_all_thirteen_are_those_of_mahotas(grey: np.ndarray) -> None:
    body = find_body(grey)

    measured = vars(measure(body))

    expected = dict(zip(measured, by_mahotas(body), strict=True))
    assert measured == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_example_of_the_paper() -> None:
    picture = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]], np.uint8)
    matrices = np.array(
        [
            [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],  # 0°
            [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]],  # 45°
            [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],  # 90°
            [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]],  # 135°
        ]
    )
    p = matrices / matrices.sum(axis=(1, 2), keepdims=True)
    i, j = np.mgrid[1:5, 1:5]

    measured = measure(whole(picture * 8))

    assert measured.contrast == pytest.approx((p * (i - j) ** 2).sum(axis=(1, 2)).mean())
    assert measured.angular_second_moment == pytest.approx((p**2).sum(axis=(1, 2)).mean())
    assert measured.sum_average == pytest.approx((p * (i + j)).sum(axis=(1, 2)).mean())


def test_even_grey_is_fully_ordered() -> None:
    measured = measure(whole(np.full((6, 6), 100, np.uint8)))

    level = 100 // 8 + 1
    assert measured == Glcm(angular_second_moment=1, correlation=1, homogeneity=1, sum_average=2 * level)


def test_without_neighbours_there_is_no_texture() -> None:
    assert measure(whole(np.array([[100]], np.uint8))) == Glcm()


def test_a_direction_without_neighbours_is_left_out() -> None:
    stripes = np.array([[0, 255, 0, 255]], np.uint8)

    assert measure(whole(stripes)).contrast == 31**2
    assert measure(whole(stripes)) == measure(whole(stripes.T))
