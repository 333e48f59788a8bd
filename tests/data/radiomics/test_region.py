"""Air in the body, against areas that are known."""

import numpy as np
import pytest

from ctexp.data.radiomics.body import find_body
from ctexp.data.radiomics.region import Region, measure


def drawn() -> np.ndarray:
    """A body of 100 × 200 with two lungs of 40 × 40 and 20 × 40, the larger with an island of 10 × 10."""
    picture = np.zeros((140, 240), np.uint8)
    picture[20:120, 20:220] = 210
    picture[40:80, 40:80] = 60
    picture[40:60, 120:160] = 10
    picture[50:60, 50:60] = 210
    return picture


def test_counts_shares_and_contrast() -> None:
    measured = measure(find_body(drawn()))

    larger, smaller = 40 * 40 - 10 * 10, 20 * 40
    air = (larger * 60 + smaller * 10) / (larger + smaller)
    assert vars(measured) == pytest.approx(
        {
            "count": 2,
            "area": (larger + smaller) / 20_000,
            "largest": larger / 20_000,
            "balance": smaller / larger,
            "contrast": (210 - air) / 255,
            "euler": 2 - 1,
        }
    )


def test_one_lung_has_no_balance() -> None:
    picture = drawn()
    picture[40:60, 120:160] = 210

    measured = measure(find_body(picture))

    assert (measured.count, measured.balance, measured.euler) == (1, 0, 0)


def test_lungs_that_touch_at_a_corner_are_two() -> None:
    picture = drawn()
    picture[80:100, 80:120] = 10

    assert measure(find_body(picture)).count == 3


@pytest.mark.parametrize("grey", [np.full((30, 30), 5), np.eye(1) * 5], ids=["even", "one pixel"])
def test_without_air_there_is_nothing(grey: np.ndarray) -> None:
    assert measure(find_body(grey.astype(np.uint8))) == Region()


def test_a_body_without_air_has_no_regions() -> None:
    picture = np.zeros((30, 30), np.uint8)
    picture[5:25, 5:25] = 200

    assert measure(find_body(picture)) == Region()
