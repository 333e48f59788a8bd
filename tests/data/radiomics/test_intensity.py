"""First-order statistics against scipy's and numpy's."""

import numpy as np
import pytest
from scipy import stats

from ctexp.data.radiomics.body import Body, find_body
from ctexp.data.radiomics.intensity import Intensity, measure
from tests.data.radiomics.pictures import chest, noise, whole


@pytest.mark.parametrize("grey", [chest(), noise(1), noise(2)], ids=["chest", "noise", "more noise"])
def test_every_statistic_is_the_usual_one_over_the_body(grey: np.ndarray) -> None:
    body = find_body(grey)
    values = grey[body.mask].astype(float)
    assert 0 < len(values) < grey.size
    p10, median, p90 = np.percentile(values, [10, 50, 90], method="inverted_cdf")

    measured = measure(body)

    expected = Intensity(
        mean=values.mean(),
        std=values.std(),
        skewness=stats.skew(values),
        kurtosis=stats.kurtosis(values),
        p10=p10,
        median=median,
        p90=p90,
        entropy=stats.entropy(np.bincount(grey[body.mask]), base=2),
    )
    assert vars(measured) == pytest.approx(vars(expected), rel=1e-10)


def test_even_grey_has_no_spread_and_no_shape() -> None:
    measured = measure(whole(np.full((5, 7), 9, np.uint8)))

    assert measured == Intensity(9, 0, 0, 0, 9, 9, 9, 0)


def test_two_levels_of_equal_share_carry_one_bit() -> None:
    measured = measure(whole(np.array([[0, 255]], np.uint8)))

    assert measured.entropy == 1
    assert (measured.mean, measured.std, measured.skewness, measured.kurtosis) == (127.5, 127.5, 0, -2)


def test_what_lies_outside_the_body_has_no_say() -> None:
    grey = chest()
    body = find_body(grey)
    other = np.where(body.mask, grey, 3).astype(np.uint8)

    assert measure(Body(other, body.mask, body.air)) == measure(body)
